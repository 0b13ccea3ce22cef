import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { objection, people, writeKubeconfig } from "./accounts.ts";
import { createAgents } from "./agents.ts";
import { apply, kubeconfig, kubectl, until } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { agentic, PLUGIN, type Said } from "./plugin-command.ts";
import { executionsOf, pipeline, run, strings, testAgent } from "./tenant.ts";
import { condition, reviewOf, SYSTEM, untilPhase, workload } from "./workload.ts";

// A run by people who have a kubeconfig and rights in one namespace, and nothing else: no ingress, no right in agentic-system.

const nameOf = (account: string) => `system:serviceaccount:${TENANT}:${account}`;
/** What each has in the namespace. */
const PEOPLE: Readonly<Record<string, readonly string[]>> = {
  newcomer: ["edit", "agentic-approver"],
  viewer: ["view"],
  approver: ["agentic-approver"],
  stranger: [],
};

let folder: string;
const files = new Map<string, string>();
const as = (who: string, ...args: string[]): Promise<Said> => agentic(files.get(who) ?? "", TENANT, args);
const digestOf = async (name: string) => {
  const object = await workload(TENANT, name);
  return object && reviewOf(object, "ask")["digest"];
};
const making = (name: string) => run(name, { pipeline: "making", inputs: { topics: ["a", "b"] } });

beforeAll(async () => {
  await createAgents(await testAgent("making"));
  await apply(
    ...people(TENANT, PEOPLE),
    pipeline("making", {
      inputs: { schema: { type: "object", properties: { topics: strings } } },
      steps: [
        { name: "find", agent: "making", forEach: "inputs.topics" },
        { name: "ask", gate: {}, after: ["find"] },
        { name: "write", agent: "making", after: ["ask"] },
      ],
    }),
  );
  folder = await mkdtemp(join(tmpdir(), "agentic-newcomer-"));
  for (const name of Object.keys(PEOPLE)) files.set(name, await writeKubeconfig(folder, { namespace: TENANT, name }));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.concurrent("with a kubeconfig alone", () => {
  test("from kubectl apply to the report on one's own disk", async () => {
    const name = "first";
    expect(await objection(files.get("newcomer") ?? "", ["apply", "-f", "-"], making(name))).toBe("");
    await untilPhase(TENANT, name, "AwaitingReview");
    expect((await as("newcomer", "get", name)).stdout).toMatch(
      new RegExp(`^NAME +PHASE .*\\n${name} +AwaitingReview +${TENANT}/making +2/2 +\\$\\S+ +Waiting +\\d+[sm]\\n$`),
    );
    const digest = await digestOf(name);
    const reviewed = await as("newcomer", "review", name);
    expect(reviewed).toMatchObject({ code: 0, stderr: "" });
    expect(reviewed.stdout).toContain(`digest ${digest}\n`);
    expect(reviewed.stdout).toContain("1. step find on a\n");
    const command = new RegExp(`kubectl agentic (approve ${name} .*)`).exec(reviewed.stdout)?.[1] ?? "";
    const json = JSON.parse((await as("newcomer", "review", name, "-o", "json")).stdout);
    expect(json).toMatchObject({ name, gate: "ask", digest, findings: [{ step: "find", item: "a" }, { item: "b" }] });
    expect(await as("newcomer", "outputs", name)).toMatchObject({ code: 1, stdout: "" });
    // As the review says it.
    expect(await as("newcomer", ...command.trim().split(" "))).toMatchObject({ code: 0 });
    expect((await as("newcomer", "watch", name)).code).toBe(0);
    const [output] = JSON.parse((await as("newcomer", "outputs", name, "-o", "json")).stdout);
    expect(output).toMatchObject({ name: "random", type: "txt", size: 64 });
    const saved = join(folder, "saved");
    expect(await as("newcomer", "outputs", name, "--save", saved)).toMatchObject({ code: 0, stderr: "" });
    expect(await readdir(saved)).toEqual([`${name}.txt`]);
    const bytes = await readFile(join(saved, `${name}.txt`));
    expect(output.key).toContain(createHash("sha256").update(bytes).digest("hex"));
    for (const who of ["viewer", "approver"]) {
      expect(await as(who, "outputs", name, "--save", join(folder, `${who}-saved`))).toMatchObject({
        code: 0,
        stderr: "",
      });
      expect(await readFile(join(folder, `${who}-saved`, `${name}.txt`))).toEqual(bytes);
    }
  });

  test("stopped, tried again, run again from a step on; and every decision recorded", async () => {
    const name = "again";
    await apply(making(name));
    await untilPhase(TENANT, name, "AwaitingReview");
    expect(await as("newcomer", "stop", name)).toMatchObject({ code: 0 });
    const stopped = await untilPhase(TENANT, name, "Failed");
    expect(condition(stopped, "Ready").reason).toBe("Stopped");
    expect(await as("newcomer", "approve", name)).toMatchObject({ code: 1, stdout: "" });
    expect(await as("newcomer", "resume", name)).toMatchObject({ code: 0 });
    await untilPhase(TENANT, name, "AwaitingReview");
    // Both before either counts, or one after the other: one counts, the other does not.
    const digest = await digestOf(name);
    const decision = (who: string, what: string) => ({
      apiVersion: "agentic.dev/v1alpha1",
      kind: "AgentDecision",
      metadata: { namespace: TENANT, name: `${name}-${who}` },
      spec: { workload: name, digest, decision: what, by: nameOf(who) },
    });
    for (const [who, what] of [
      ["approver", "approved"],
      ["newcomer", "rejected"],
    ] as const)
      expect(await objection(files.get(who) ?? "", ["create", "-f", "-"], decision(who, what))).toBe("");
    await untilPhase(TENANT, name, "Succeeded");
    const outcomeOf = (who: string) =>
      until(`what became of the decision of ${who}`, async () => {
        const { status } = JSON.parse(
          await kubectl(["-n", TENANT, "get", "agentdecision", `${name}-${who}`, "-o", "json"]),
        );
        return status;
      });
    expect(await outcomeOf("approver")).toMatchObject({ outcome: "Counted", gate: "ask" });
    expect(await outcomeOf("newcomer")).toMatchObject({ outcome: "Refused", reason: "AlreadyDecided" });
    const events = await kubectl([
      "-n",
      TENANT,
      "get",
      "events",
      "--field-selector",
      `involvedObject.name=${name},reason=DecisionRefused`,
      "-o",
      "name",
    ]);
    expect(events.trim().split("\n")).toHaveLength(1);
    const object = await workload(TENANT, name);
    const before = object && (await executionsOf(object));
    expect([...(before ?? [])].toSorted()).toEqual([
      ['find "a"', 1],
      ['find "b"', 1],
      ["write", 1],
    ]);
    expect((await as("newcomer", "rerun", name, "--from", "draw")).stderr).toContain("the steps are find, ask, write");
    expect(await as("newcomer", "rerun", name, "--from", "write")).toMatchObject({ code: 0 });
    await untilPhase(TENANT, name, "AwaitingReview");
    expect(await as("newcomer", "approve", name)).toMatchObject({ code: 0 });
    await untilPhase(TENANT, name, "Succeeded");
    const after = object && (await executionsOf(object));
    expect([...(after ?? [])].toSorted()).toEqual([
      ['find "a"', 1],
      ['find "b"', 1],
      ["write", 2],
    ]);
  });

  test("logs: of one's own agents; of the shared functions for whoever may read them there", async () => {
    const name = "logged";
    await apply(making(name));
    await untilPhase(TENANT, name, "AwaitingReview");
    await as("newcomer", "approve", name);
    const followed = await as("newcomer", "logs", name, "-f");
    expect(followed.code).toBe(0);
    expect(followed.stderr).toContain(`you may not read the logs of ${SYSTEM}`);
    expect(followed.stdout).toMatch(/^\S+Z {2}INFO {2}making {2}write {2}step ended {2}outcome=succeeded/m);
    expect(followed.stdout.match(/ {2}find {2}step ended/g)).toHaveLength(2);
    const all = await agentic(kubeconfig, TENANT, ["logs", name, "--step", "write", "-o", "json"]);
    expect([all.code, all.stderr]).toEqual([0, ""]);
    expect(JSON.parse(all.stdout)).toMatchObject({ service: "making", step: "write", workload: `${TENANT}/${name}` });
    expect(await as("approver", "logs", name)).toMatchObject({ code: 1, stdout: "" });
  });

  test("the review page on one's own machine, and a decision there in one's own name", async () => {
    const name = "paged";
    await apply(making(name));
    await untilPhase(TENANT, name, "AwaitingReview");
    const args = [PLUGIN, "review", name, "--open", "-n", TENANT, "--kubeconfig", files.get("approver") ?? ""];
    // No desktop: it says where the page is.
    const page = spawn(process.execPath, args, { env: { PATH: "/nowhere" }, stdio: ["ignore", "ignore", "pipe"] });
    try {
      let stderr = "";
      page.stderr.on("data", (text: Buffer) => {
        stderr += text;
      });
      const link = await until("the page's address", async () => /http:\/\/\S+/.exec(stderr)?.[0]);
      const first = await fetch(link, { redirect: "manual" });
      const cookie = first.headers.get("set-cookie")?.split(";")[0] ?? "";
      const address = new URL(first.headers.get("location") ?? "", link);
      const shown = await (await fetch(address, { headers: { cookie } })).text();
      const digest = await digestOf(name);
      expect(shown).toContain(`name="digest" value="${digest}"`);
      expect((await fetch(address)).status).toBe(401);
      const body = new URLSearchParams({ decision: "rejected", digest: String(digest), comment: "Not yet." });
      const headers = { cookie, origin: address.origin };
      const decided = await fetch(address, { method: "POST", headers, body, redirect: "manual" });
      expect(decided.status).toBe(303);
      const rejected = await untilPhase(TENANT, name, "Rejected");
      expect(reviewOf(rejected, "ask")).toMatchObject({
        decision: "rejected",
        by: nameOf("approver"),
        how: "AgentDecision",
        comment: "Not yet.",
      });
    } finally {
      page.kill();
    }
  });

  test("who may not read a workload learns no key, and the proxy leads nowhere else", async () => {
    for (const command of ["outputs", "review", "describe", "get"]) {
      const { code, stderr } = await as("stranger", command, "first");
      expect([command, code]).toEqual([command, 1]);
      expect(stderr).toContain("forbidden");
    }
    const proxy = (service: string) => `/api/v1/namespaces/${SYSTEM}/services/${service}/proxy/`;
    const raw = (...args: string[]) => objection(files.get("stranger") ?? "", args);
    for (const service of ["http:store:7070", "http:egress:3128", "artifacts"])
      expect(await raw("get", "--raw", proxy(service))).toContain("forbidden");
    expect(await raw("create", "--raw", proxy("http:artifacts:80"), "-f", "/dev/null")).toContain("forbidden");
    expect(await raw("get", "--raw", proxy("http:artifacts:80"))).toMatch(/NotFound|could not find/);
  });
});
