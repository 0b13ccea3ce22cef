import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentWorkloadSchema } from "../../crd/agentworkload.ts";
import {
  type NodeView,
  NUDGED_AT,
  type Settlement,
  settlePatch,
  viewWorkflow,
  type WorkflowView,
} from "../../functions/reconcile/nodes.ts";
import { planStop, planTurn } from "../../functions/reconcile/turn.ts";
import { renderWorkflow } from "../../functions/reconcile/workflow.ts";
import { connectKube } from "../../lib/edges/kube.ts";
import { orderOf } from "../../pipeline/run-order.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { apply, argo, kubeconfig, kubectl, until } from "../kubernetes/cluster.ts";
import { NAMESPACE } from "../kubernetes/namespaces.ts";

// How Argo Workflows 4.0 behaves, where reconcile leans on it. An upgrade that changes it fails here first.

beforeAll(() => Promise.all([built("argo-workflows"), built("argo")]), BUILD_MS);

const uid = "5e1c0de0-0000-4000-8000-000000000001";

// biome-ignore lint/suspicious/noExplicitAny: a manifest that tests change at will.
function rendered(name: string, spec: Record<string, unknown> = {}, sites = 3): any {
  const workload = agentWorkloadSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    // No workload of another test has that name.
    metadata: { namespace: NAMESPACE, name: `contract-${name}`, uid },
    spec: {
      objective: "who wins?",
      sites: Array.from({ length: sites }, (_, index) => `http://site-${index}.example/`),
      ...spec,
    },
  });
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const workflow = renderWorkflow(orderOf(workload, uid), workload) as any;
  // There is no such workload: its garbage collector would take the Workflow away.
  delete workflow.metadata.ownerReferences;
  return workflow;
}

async function start(name: string, spec?: Record<string, unknown>, sites?: number): Promise<string> {
  const workflow = rendered(name, spec, sites);
  await apply(workflow);
  return workflow.metadata.name;
}

const { workflows } = connectKube(kubeconfig);

async function view(name: string): Promise<WorkflowView> {
  const object = await workflows.get({ namespace: NAMESPACE, name });
  if (!object) throw new Error(`${name} is gone`);
  return viewWorkflow(object);
}

const running = ({ nodes }: WorkflowView, step?: string) =>
  nodes.filter((node) => node.phase === "Running" && (step === undefined || node.step === step));

/** Does what reconcile does in its turn. @returns whether there is nothing left to settle */
async function takeTurn(workflow: WorkflowView, settlements: readonly Settlement[]): Promise<boolean> {
  const ref = { namespace: NAMESPACE, name: workflow.name };
  let left = settlements.length > 0;
  const now = new Date();
  for (const action of workflow.shutdown ? planStop(workflow, now) : planTurn(workflow, settlements, now)) {
    if (action.type === "settle")
      left = (await workflows.patch(ref, settlePatch(workflow, action.settlements, now))) !== "written";
    else await workflows.merge(ref, { metadata: { annotations: { [NUDGED_AT]: now.toISOString() } } });
  }
  return !left;
}

/** For who waited in vain. */
const nodesOf = async (name: string) => (await view(name)).nodes.map(({ step, index, phase }) => [step, index, phase]);

/** Waits for what Argo makes of it, and has it look again where it missed something. */
const untilArgo = <T>(what: string, name: string, look: (workflow: WorkflowView) => T | undefined | false) =>
  until(
    what,
    async () => {
      const workflow = await view(name);
      const found = look(workflow);
      if (found === undefined || found === false) await takeTurn(workflow, []);
      return found;
    },
    { seen: () => nodesOf(name) },
  );

async function settle(name: string, choose: (workflow: WorkflowView) => Settlement[]): Promise<void> {
  await until(
    `${name} to take a settlement`,
    async () => {
      const workflow = await view(name);
      return takeTurn(workflow, choose(workflow));
    },
    { ms: 30_000 },
  );
}

const done = (node: WorkflowView["nodes"][number], value = "succeeded x"): Settlement => ({
  node,
  phase: "Succeeded",
  parameter: node.step === "review" ? "decision" : "result",
  value,
});

/** Plays reconcile until the gate runs: `fail` names entries whose scrape fails. */
async function toGate(name: string, { fail = [] as number[], value = "succeeded x" } = {}): Promise<WorkflowView> {
  const result = (node: NodeView): Settlement =>
    node.step === "scrape" && fail.includes(node.index ?? -1)
      ? { node, phase: "Failed", message: "Timeout: why" }
      : done(node, value);
  return until(
    `the gate of ${name}`,
    async () => {
      const workflow = await view(name);
      if (running(workflow, "review").length > 0) return workflow;
      await takeTurn(workflow, running(workflow).map(result));
      return undefined;
    },
    { seen: () => nodesOf(name) },
  );
}

const ended = (name: string, phase: WorkflowView["phase"]): Promise<true> =>
  untilArgo(`${name} to be ${phase}`, name, (workflow) => workflow.phase === phase || undefined);

describe("the full CRD", () => {
  // The cluster has the minimal ones: the full schema stands beside them under a group of its own.
  const GROUP = "contract.agentic.dev";
  const CRD = `crd/workflows.${GROUP}`;
  beforeAll(async () => {
    const file = join(await built("argo-workflows"), "manifests", "full-crds", "argoproj.io_workflows.yaml");
    const full = readFileSync(file, "utf8").replaceAll(
      /^( {2}name: workflows\.| {2}group: )argoproj\.io$/gm,
      `$1${GROUP}`,
    );
    await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], full);
  });
  afterAll(() => kubectl(["delete", CRD, "--ignore-not-found"]));

  test("takes what reconcile renders, and refuses a field that it does not know", async () => {
    const workflow = { ...rendered("strict"), apiVersion: `${GROUP}/v1alpha1` };
    const dryRun = (object: object) =>
      kubectl(["create", "--dry-run=server", "--validate=strict", "-f", "-"], JSON.stringify(object));
    await until("the API server to serve it", () => dryRun(workflow).then(() => true), { ms: 30_000 });
    await expect(dryRun({ ...workflow, spec: { ...workflow.spec, paralelism: 3 } })).rejects.toThrow(/paralelism/);
  });
});

describe("a DAG of suspend nodes", () => {
  test("runs entries up to the fan-out's parallelism, and the next when one has ended", async () => {
    const name = await start("parallel", { replicas: 2 }, 5);
    await untilArgo("two entries", name, (seen) => running(seen).length === 2);
    await sleep(1500);
    expect(running(await view(name)).map(({ step }) => step)).toEqual(["scrape", "scrape"]);
    await settle(name, (seen) =>
      running(seen)
        .slice(0, 1)
        .map((node) => done(node)),
    );
    await untilArgo("its analyze", name, (seen) => running(seen, "analyze").length === 1);
    expect(running(await view(name))).toHaveLength(2);
    const gate = await toGate(name);
    expect(gate.nodes.filter(({ step }) => step === "analyze")).toHaveLength(5);
  });

  test("a failed entry stops neither the others nor what comes after them", async () => {
    const name = await start("failing", {}, 3);
    const workflow = await toGate(name, { fail: [1] });
    expect(
      workflow.nodes
        .filter(({ step }) => step === "analyze")
        .map(({ index }) => index)
        .toSorted(),
    ).toEqual([0, 2]);
    await settle(name, (seen) => running(seen, "review").map((node) => done(node, "approved")));
    await untilArgo("the report", name, (seen) => running(seen, "report").length === 1);
    await settle(name, (seen) => running(seen, "report").map((node) => done(node)));
    await ended(name, "Succeeded");
  });

  test("a rejection skips the report, and the Workflow succeeds", async () => {
    const name = await start("rejected", {}, 1);
    await toGate(name);
    await settle(name, (seen) => running(seen, "review").map((node) => done(node, "rejected")));
    await ended(name, "Succeeded");
    expect((await view(name)).nodes.some(({ step }) => step === "report")).toBe(false);
  });

  test("a failed gate fails the Workflow", async () => {
    const name = await start("failed-gate", {}, 1);
    await toGate(name);
    await settle(name, (seen) =>
      running(seen, "review").map((node) => ({ node, phase: "Failed", message: "TooManyFailedSites: why" })),
    );
    await ended(name, "Failed");
  });

  test.each([
    ["Reject", "rejected"],
    ["Approve", "approved"],
  ])("the gate's duration ends in its default: onTimeout %s is %s", async (onTimeout, decision) => {
    const name = await start(`timeout-${decision}`, { review: { timeout: "2s", onTimeout } }, 1);
    await toGate(name);
    const node = await untilArgo("the default", name, ({ nodes }) =>
      nodes.find(({ step, phase }) => step === "review" && phase === "Succeeded"),
    );
    expect(node.output).toBe(decision);
  });
});

describe("settling", () => {
  test("a node that is no longer what was seen refuses the whole write", async () => {
    const name = await start("conflict", {}, 2);
    await untilArgo("its nodes", name, (seen) => running(seen).length === 2);
    const seen = await view(name);
    const [first, second] = running(seen);
    if (!first || !second) throw new Error("two nodes");
    await settle(name, () => [done(first)]);
    const stale = settlePatch(seen, [done(second), done(first)], new Date());
    expect(await workflows.patch({ namespace: NAMESPACE, name }, stale)).toBe("conflict");
    expect(running(await view(name), "scrape").map(({ index }) => index)).toEqual([second.index]);
  });

  test("nodes of more than 1 MiB are compressed, and settled as the one value that they are", async () => {
    const name = await start("compressed", { replicas: 64 }, 60);
    // Random enough that what is compressed would still be large: only the sum before compression counts.
    const workflow = await toGate(name, { value: `succeeded ${"x".repeat(20_000)}` });
    expect(workflow.compressedNodes).toMatch(/^H4sI/);
    expect((workflow.object.status as { nodes?: object }).nodes ?? {}).toEqual({});
    expect(workflow.nodes).toHaveLength(121);
    await settle(name, (seen) => running(seen, "review").map((node) => done(node, "rejected")));
    await ended(name, "Succeeded");
  });
});

describe("Argo's own commands", () => {
  test("suspend holds new nodes, and what is settled stays settled", async () => {
    const name = await start("suspended", {}, 1);
    await untilArgo("its node", name, (seen) => running(seen).length === 1);
    await argo(NAMESPACE, name, "suspend");
    await settle(name, (seen) => running(seen, "scrape").map((node) => done(node)));
    await sleep(1500);
    expect(running(await view(name))).toEqual([]);
    expect((await view(name)).suspended).toBe(true);
    await argo(NAMESPACE, name, "resume");
    await untilArgo("analyze", name, (seen) => running(seen, "analyze").length === 1);
  });

  test("resume is refused while a step runs: it has no result", async () => {
    const name = await start("resumed", {}, 1);
    await untilArgo("its node", name, (seen) => running(seen).length === 1);
    await argo(NAMESPACE, name, "suspend");
    await expect(argo(NAMESPACE, name, "resume")).rejects.toThrow(/has not been set and does not have a default value/);
    expect((await view(name)).suspended).toBe(true);
    await workflows.merge({ namespace: NAMESPACE, name }, { spec: { suspend: null } });
    await settle(name, (seen) => running(seen, "scrape").map((node) => done(node)));
    await untilArgo("analyze", name, (seen) => running(seen, "analyze").length === 1);
  });

  test("resume at the gate is its default", async () => {
    const name = await start("resumed-gate", {}, 1);
    await toGate(name);
    await argo(NAMESPACE, name, "resume");
    const gate = (await view(name)).nodes.find(({ step }) => step === "review");
    expect([gate?.phase, gate?.output]).toEqual(["Succeeded", "rejected"]);
  });

  test.each(["stop", "terminate"] as const)("%s ends the Workflow, and fails the steps that ran", async (command) => {
    const name = await start(command, {}, 1);
    await untilArgo("its node", name, (seen) => running(seen).length === 1);
    await argo(NAMESPACE, name, command);
    await ended(name, "Failed");
    // A node may be left running in a Workflow that has ended: its phase says nothing then.
    const scrape = (await view(name)).nodes.filter(({ step }) => step === "scrape");
    expect(scrape.map(({ phase }) => phase)).toEqual(["Failed"]);
  });

  test("retry starts no suspend node anew: reconcile makes a deleted Workflow again instead", async () => {
    const name = await start("retried", {}, 1);
    await toGate(name);
    const failed = (seen: WorkflowView): Settlement[] =>
      running(seen, "review").map((node) => ({ node, phase: "Failed", message: "why" }));
    await settle(name, failed);
    await ended(name, "Failed");
    const before = (await view(name)).nodes;
    await argo(NAMESPACE, name, "retry");
    await ended(name, "Failed");
    expect((await view(name)).nodes).toEqual(before);
  });
});
