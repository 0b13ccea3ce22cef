import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objection, writeKubeconfig } from "./accounts.ts";
import { createAgents } from "./agents.ts";
import { apply, kubectl, list, until } from "./cluster.ts";
import { OTHER, TENANT } from "./namespaces.ts";
import { pipeline, run, testAgent } from "./tenant.ts";
import { reviewOf, untilPhase, workload } from "./workload.ts";

// People with kubectl, a RoleBinding and nothing else. Each is a service account, whose token stands for a person's.

const nameOf = (account: string) => `system:serviceaccount:${TENANT}:${account}`;
/** ann and ben may approve here; eve edits; mallory may make AgentDecisions, and approve nothing here. */
const PEOPLE = ["ann", "ben", "eve", "mallory"];
const binding = (namespace: string, name: string, role: object, account: string) => ({
  apiVersion: "rbac.authorization.k8s.io/v1",
  kind: "RoleBinding",
  metadata: { namespace, name },
  roleRef: { apiGroup: "rbac.authorization.k8s.io", ...role },
  subjects: [{ kind: "ServiceAccount", namespace: TENANT, name: account }],
});
const APPROVER = { kind: "ClusterRole", name: "agentic-approver" };

let folder: string;
const files = new Map<string, string>();

beforeAll(async () => {
  await createAgents(await testAgent("deciding"));
  await apply(
    ...PEOPLE.map((name) => ({ apiVersion: "v1", kind: "ServiceAccount", metadata: { namespace: TENANT, name } })),
    ...["ann", "ben"].map((name) => binding(TENANT, `${name}-approves`, APPROVER, name)),
    binding(OTHER, "mallory-approves-there", APPROVER, "mallory"),
    binding(TENANT, "eve-edits", { kind: "ClusterRole", name: "edit" }, "eve"),
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: { namespace: TENANT, name: "makes-decisions" },
      rules: [
        { apiGroups: ["agentic.dev"], resources: ["agentdecisions"], verbs: ["create", "get", "update", "patch"] },
        { apiGroups: ["agentic.dev"], resources: ["agentworkloads"], verbs: ["get", "list"] },
      ],
    },
    binding(TENANT, "mallory-makes", { kind: "Role", name: "makes-decisions" }, "mallory"),
    pipeline("asking", {
      steps: [
        { name: "find", agent: "deciding" },
        { name: "ask", gate: {}, after: ["find"] },
        { name: "write", agent: "deciding", after: ["ask"] },
      ],
    }),
  );
  folder = await mkdtemp(join(tmpdir(), "agentic-people-"));
  for (const name of PEOPLE) files.set(name, await writeKubeconfig(folder, { namespace: TENANT, name }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const PLUGIN = new URL("../../cli/kubectl-agentic.ts", import.meta.url).pathname;

/** `kubectl agentic ARGS`, as its user types it. */
function agentic(who: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const all = [PLUGIN, ...args, "-n", TENANT, "--kubeconfig", files.get(who) ?? ""];
    execFile(process.execPath, all, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** A decision by hand. @returns what the API server says against it; empty: it is made */
async function make(who: string, name: string, over: object = {}): Promise<string> {
  const digest = (await reviewed(name))["digest"];
  const object = {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentDecision",
    metadata: { namespace: TENANT, name: `${name}-by-hand` },
    spec: { workload: name, digest, decision: "approved", by: nameOf(who), ...over },
  };
  return as(who, ["create", "-f", "-"], object);
}

const as = (who: string, args: readonly string[], object?: object) => objection(files.get(who) ?? "", args, object);

async function reviewed(name: string): Promise<Record<string, unknown>> {
  const object = await workload(TENANT, name);
  return (object && reviewOf(object, "ask")) ?? {};
}

async function atGate(name: string): Promise<void> {
  await apply(run(name, { pipeline: "asking" }));
  await untilPhase(TENANT, name, "AwaitingReview");
}

describe.concurrent("a gate is decided with kubectl", () => {
  test("by whom a RoleBinding names, in their own name", async () => {
    const name = "approved-by-ann";
    await atGate(name);
    expect((await agentic("ann", "reviews")).stdout).toMatch(new RegExp(`${name} +ask +\\S+ +\\S+ \\(Reject\\)`));
    const { code, stdout, stderr } = await agentic("ann", "approve", name, "--comment", "Looks good.");
    expect([code, stdout, stderr]).toEqual([0, expect.stringContaining(`gate ask approved by ${nameOf("ann")}`), ""]);
    await untilPhase(TENANT, name, "Succeeded");
    expect(await reviewed(name)).toMatchObject({
      decision: "approved",
      by: nameOf("ann"),
      how: "AgentDecision",
      automatic: false,
      comment: "Looks good.",
    });
    // It goes with its workload.
    const [made] = (await list("agentdecisions", TENANT)).filter(({ spec }) => spec.workload === name);
    expect(made?.metadata.ownerReferences).toHaveLength(1);
    await kubectl(["-n", TENANT, "delete", "agentworkload", name, "--timeout=120s"]);
    await until("the decision to go", async () => {
      const left = await list("agentdecisions", TENANT);
      return left.every(({ spec }) => spec.workload !== name);
    });
  });

  test("rejected, and what comes later is told who was first", async () => {
    const name = "rejected-by-ben";
    await atGate(name);
    expect((await agentic("ben", "reject", name)).code).toBe(0);
    await untilPhase(TENANT, name, "Rejected");
    const late = await agentic("ann", "approve", name);
    expect([late.code, late.stderr]).toEqual([1, expect.stringContaining(`gate ask was rejected by ${nameOf("ben")}`)]);
  });

  test("by YAML alone", async () => {
    const name = "by-hand";
    await atGate(name);
    expect(await make("ann", name)).toBe("");
    await untilPhase(TENANT, name, "Succeeded");
    expect(await reviewed(name)).toMatchObject({ by: nameOf("ann"), how: "AgentDecision" });
  });

  test("nobody decides who may not, in another's name, otherwise than was decided, or on what was not seen", async () => {
    const name = "attacked";
    await atGate(name);
    expect((await agentic("eve", "approve", name)).stderr).toMatch(/cannot create resource "agentdecisions"/);
    const refused = await agentic("mallory", "approve", name);
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("may not approve agentworkloads/attacked"),
    ]);
    expect(await make("mallory", name)).toContain("may not approve");
    expect(await make("mallory", name, { by: nameOf("ann") })).toContain("must be your own name");
    expect(await make("ann", name, { by: nameOf("ben") })).toContain("must be your own name");
    expect(await make("ann", name, { digest: "0".repeat(64) })).toBe("");
    await until("what became of it", async () => {
      const made = await list("agentdecisions", TENANT);
      const [status] = made.flatMap(({ metadata, status }) => (metadata.name === `${name}-by-hand` ? [status] : []));
      return status?.outcome === "Refused" && status.reason === "OtherFindings";
    });
    expect(
      await as("mallory", [
        "-n",
        TENANT,
        "patch",
        "agentdecision",
        `${name}-by-hand`,
        "--type=merge",
        "-p",
        '{"spec":{"decision":"rejected"}}',
      ]),
    ).toContain("cannot be changed");
    expect(
      await as("eve", [
        "-n",
        TENANT,
        "patch",
        "agentworkload",
        name,
        "--subresource=status",
        "--type=merge",
        "-p",
        '{"status":{"reviews":[]}}',
      ]),
    ).toContain("is forbidden");
    expect((await agentic("ann", "approve", name, "--digest", "0".repeat(64))).stderr).toContain("have the digest");
    expect((await agentic("ben", "reject", name)).code).toBe(0);
    await untilPhase(TENANT, name, "Rejected");
    expect(await reviewed(name)).toMatchObject({ decision: "rejected", by: nameOf("ben") });
  });

  test("says what is wrong", async () => {
    expect((await agentic("ann", "approve", "nobody")).stderr).toContain(
      `there is no AgentWorkload nobody in namespace ${TENANT}`,
    );
    expect((await agentic("ann", "approve")).code).toBe(2);
    const context = await agentic("ann", "approve", "nobody", "--context", "none");
    expect(context.stderr).toContain("the kubeconfig has no context none");
  });
});
