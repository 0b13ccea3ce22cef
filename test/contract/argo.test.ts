import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { agentWorkloadSchema, type WorkloadSpec } from "../../crd/agentworkload.ts";
import { freeze } from "../../engine/freeze.ts";
import { type Run, runOf } from "../../engine/run.ts";
import { argoEngine } from "../../functions/reconcile/argo/engine.ts";
import type { NodeView, RunView, Settlement } from "../../functions/reconcile/run-engine.ts";
import { planStop, planTurn } from "../../functions/reconcile/workload/turn.ts";
import { connectKube } from "../../lib/edges/kube.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { loadShipped } from "../../pipelines/shipped.ts";
import { BUILD_MS, built } from "../cluster/built.ts";
import { apply, argo, kubeconfig, kubectl, until } from "../kubernetes/cluster.ts";
import { NAMESPACE } from "../kubernetes/namespaces.ts";

// How Argo Workflows 4.0 behaves, where reconcile leans on it. An upgrade that changes it fails here first. Shapes of DAGs, drawn at
// random too, are in pipelines.test.ts; here it is market-analysis: a fan-out of two steps, a gate, a last step.

beforeAll(() => Promise.all([built("argo-workflows"), built("argo")]), BUILD_MS);

const uid = "5e1c0de0-0000-4000-8000-000000000001";

const shipped = await loadShipped();
const [marketAnalysis] = shipped.pipelines;
if (!marketAnalysis) throw new Error("no pipeline ships");
const frozen = freeze(
  marketAnalysis,
  new Map(shipped.agents.map((agent) => [agent.metadata.name, { ...agent, revision: "1" }])),
);
if (!("pipeline" in frozen)) throw new Error(frozen.problem);
const { pipeline } = frozen;

function wanted(name: string, spec: Record<string, unknown>, items: number): { run: Run; spec: WorkloadSpec } {
  const workload = agentWorkloadSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    // No workload of another test has that name.
    metadata: { namespace: NAMESPACE, name: `contract-${name}`, uid },
    spec: {
      inputs: {
        objective: "who wins?",
        sites: Array.from({ length: items }, (_, index) => `http://site-${index}.example/`),
      },
      ...spec,
    },
  });
  const reference = { namespace: NAMESPACE, name: workload.metadata.name, uid };
  return { run: runOf(reference, workload.spec, pipeline), spec: workload.spec };
}

// biome-ignore lint/suspicious/noExplicitAny: a manifest that tests change at will.
function rendered(name: string, over: Record<string, unknown> = {}, items = 3): any {
  const { run, spec } = wanted(name, over, items);
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  const workflow = argoEngine.render(run, spec) as any;
  // There is no such workload: the garbage collector would take the Workflow away.
  delete workflow.metadata.ownerReferences;
  return workflow;
}

async function start(name: string, spec?: Record<string, unknown>, items?: number): Promise<string> {
  const workflow = rendered(name, spec, items);
  await apply(workflow);
  return workflow.metadata.name;
}

const { workflows } = connectKube(kubeConfig({ file: kubeconfig }));

async function view(name: string): Promise<RunView> {
  const object = await workflows.get({ namespace: NAMESPACE, name });
  if (!object) throw new Error(`${name} is gone`);
  return argoEngine.view(object);
}

/** Of a step's name, or of the end. */
const running = ({ nodes }: RunView, step?: string) =>
  nodes.filter((node) => node.phase === "Running" && (step === undefined || nameOf(node) === step));
const nameOf = ({ role, step }: NodeView): string => (role === "end" ? "end" : step);

/** Does what reconcile does in its turn. @returns whether there is nothing left to settle */
async function takeTurn(workflow: RunView, settlements: readonly Settlement[]): Promise<boolean> {
  const ref = { namespace: NAMESPACE, name: workflow.name };
  let left = settlements.length > 0;
  const now = new Date();
  for (const action of workflow.shutdown ? planStop(workflow, now) : planTurn(workflow, settlements, now)) {
    if (action.type === "settle")
      left = (await workflows.patch(ref, argoEngine.settle(workflow, action.settlements, now))) !== "written";
    else await workflows.merge(ref, argoEngine.nudge(now));
  }
  return !left;
}

/** For who waited in vain. */
const nodesOf = async (name: string) => (await view(name)).nodes.map((node) => [nameOf(node), node.index, node.phase]);

/** Waits for what Argo makes of it, and has it look again where it missed something. */
const untilArgo = <T>(what: string, name: string, look: (workflow: RunView) => T | undefined | false) =>
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

/** Settles what `choose` says, and not before there is something to settle. */
async function settle(name: string, choose: (workflow: RunView) => Settlement[]): Promise<void> {
  await until(
    `${name} to take a settlement`,
    async () => {
      const workflow = await view(name);
      return takeTurn(workflow, choose(workflow));
    },
    { ms: 30_000, seen: () => nodesOf(name) },
  );
}

const done = (node: NodeView, output = "succeeded x"): Settlement => ({ node, phase: "Succeeded", output });
const failed = (node: NodeView, output = "failed x"): Settlement => ({
  node,
  phase: "Failed",
  output,
  message: "Timeout: why",
});

/** Plays reconcile until the gate runs: `fail` names items whose scrape fails. */
async function toGate(name: string, { fail = [] as number[], output = "succeeded x" } = {}): Promise<RunView> {
  const result = (node: NodeView): Settlement =>
    node.step === "scrape" && fail.includes(node.index ?? -1) ? failed(node) : done(node, output);
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

/** A rejected gate fails, so nothing behind it starts. */
const decide = (name: string, decision: "approved" | "rejected") =>
  settle(name, (seen) =>
    running(seen, "review").map((node) => (decision === "approved" ? done(node, decision) : failed(node, decision))),
  );

const ended = (name: string, phase: RunView["phase"]): Promise<true> =>
  untilArgo(`${name} to be ${phase}`, name, (workflow) => workflow.phase === phase || undefined);

/** Ends the run as reconcile judges it. */
async function end(name: string, judge: (node: NodeView) => Settlement, phase: RunView["phase"]): Promise<void> {
  await untilArgo("its end", name, (seen) => running(seen, "end").length === 1);
  await settle(name, (seen) => running(seen, "end").map(judge));
  await ended(name, phase);
}

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
  test("runs items up to the fan-out's parallelism, and the next when one has ended", async () => {
    const name = await start("parallel", { replicas: 2 }, 5);
    await untilArgo("two items", name, (seen) => running(seen).length === 2);
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

  test("follows other terms in mid-run: items in flight, a gate's duration, the run's deadline", async () => {
    const name = await start("edited", { replicas: 1 }, 4);
    await untilArgo("one item", name, (seen) => running(seen).length === 1);
    const { run, spec } = wanted("edited", { replicas: 3 }, 4);
    expect(argoEngine.nameOf(run)).toBe(name);
    // biome-ignore lint/suspicious/noExplicitAny: a patch that the test changes.
    const update = argoEngine.update(run, spec) as any;
    const ref = { namespace: NAMESPACE, name };
    await workflows.merge(ref, update);
    await untilArgo("three items", name, (seen) => running(seen).length === 3);
    await toGate(name);
    const gate = update.spec.templates.find((one: { name: string }) => one.name === "gate-review");
    gate.suspend.duration = "1";
    await workflows.merge(ref, update);
    await untilArgo("the gate's own end", name, (seen) => running(seen, "review").length === 0);
    await workflows.merge(ref, { spec: { activeDeadlineSeconds: 1 } });
    await ended(name, "Failed");
  });

  test("a failed item stops neither the others nor what comes after them", async () => {
    const name = await start("failing", {}, 3);
    const workflow = await toGate(name, { fail: [1] });
    expect(
      workflow.nodes
        .filter(({ step }) => step === "analyze")
        .map(({ index }) => index)
        .toSorted(),
    ).toEqual([0, 2]);
    await decide(name, "approved");
    await untilArgo("the report", name, (seen) => running(seen, "report").length === 1);
    await settle(name, (seen) => running(seen, "report").map((node) => done(node)));
    await end(name, (node) => done(node, "succeeded"), "Succeeded");
  });

  test("the end comes when every item has failed, and its failure is the Workflow's", async () => {
    const name = await start("all-failed", {}, 2);
    await toGate(name, { fail: [0, 1] });
    await settle(name, (seen) => running(seen, "review").map((node) => failed(node, "not-run")));
    await end(name, (node) => failed(node, ""), "Failed");
  });

  test("a rejection skips the report, and the Workflow succeeds", async () => {
    const name = await start("rejected", {}, 1);
    await toGate(name);
    await decide(name, "rejected");
    await end(name, (node) => done(node, "rejected"), "Succeeded");
    expect((await view(name)).nodes.some(({ step }) => step === "report")).toBe(false);
  });

  test("a gate that failed lets nothing but the end go on", async () => {
    const name = await start("failed-gate", {}, 1);
    await toGate(name);
    await settle(name, (seen) => running(seen, "review").map((node) => failed(node, "not-run")));
    await end(name, (node) => failed(node, ""), "Failed");
    expect((await view(name)).nodes.some(({ step }) => step === "report")).toBe(false);
  });

  test.each([
    ["Reject", "Error", undefined],
    ["Approve", "Succeeded", "approved"],
  ])("a gate's duration with onTimeout %s ends in %s", async (onTimeout, ending, output) => {
    const workflow = rendered(`timeout-${onTimeout.toLowerCase()}`, { review: { timeout: "2s", onTimeout } }, 1);
    const gate = workflow.spec.templates.find((one: { name: string }) => one.name === "gate-review");
    // Reconcile decides the timeout; Argo's own comes ten minutes later.
    expect(gate.suspend.duration).toBe("602");
    gate.suspend.duration = "2";
    await apply(workflow);
    const { name } = workflow.metadata;
    await toGate(name);
    const node = await untilArgo("the default", name, ({ nodes }) =>
      nodes.find(({ step, phase }) => step === "review" && phase !== "Running"),
    );
    expect([node.phase, node.output]).toEqual([ending, output]);
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
    const stale = argoEngine.settle(seen, [done(second), done(first)], new Date());
    expect(await workflows.patch({ namespace: NAMESPACE, name }, stale)).toBe("conflict");
    expect(running(await view(name), "scrape").map(({ index }) => index)).toEqual([second.index]);
  });

  test("nodes of more than 1 MiB are compressed, and settled as the one value that they are", async () => {
    const name = await start("compressed", { replicas: 64 }, 60);
    // Random enough that what is compressed would still be large: only the sum before compression counts.
    const workflow = await toGate(name, { output: `succeeded ${"x".repeat(20_000)}` });
    const status = workflow.object.status as { nodes?: object; compressedNodes?: string };
    expect(status.compressedNodes).toMatch(/^H4sI/);
    expect(status.nodes ?? {}).toEqual({});
    const ofItems = workflow.nodes.filter(({ step }) => ["scrape", "analyze", "review"].includes(step ?? ""));
    expect(ofItems).toHaveLength(121);
    await decide(name, "rejected");
    await end(name, (node) => done(node, "rejected"), "Succeeded");
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

  test("resume at a gate is its default, and refused where it has none", async () => {
    const reviewed = async (name: string) => {
      const gate = (await view(name)).nodes.find(({ step }) => step === "review");
      return [gate?.phase, gate?.output];
    };
    const approving = await start("resumed-gate", { review: { onTimeout: "Approve" } }, 1);
    await toGate(approving);
    await argo(NAMESPACE, approving, "resume");
    expect(await reviewed(approving)).toEqual(["Succeeded", "approved"]);
    const rejecting = await start("resumed-gate-without-default", {}, 1);
    await toGate(rejecting);
    await expect(argo(NAMESPACE, rejecting, "resume")).rejects.toThrow(
      /has not been set and does not have a default value/,
    );
    expect(await reviewed(rejecting)).toEqual(["Running", undefined]);
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
    await settle(name, (seen) => running(seen, "review").map((node) => failed(node, "not-run")));
    await end(name, (node) => failed(node, ""), "Failed");
    const before = (await view(name)).nodes;
    await argo(NAMESPACE, name, "retry");
    await ended(name, "Failed");
    expect((await view(name)).nodes).toEqual(before);
  });
});
