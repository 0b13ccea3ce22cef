import { afterAll, expect, test } from "vitest";
import { argoEngine } from "../../../functions/reconcile/argo/engine.ts";
import type { NodeView } from "../../../functions/reconcile/run-engine.ts";
import { connectKube } from "../../../lib/edges/kube.ts";
import { kubeConfig } from "../../../lib/edges/kube-calls.ts";
import { createAgents, deleteAgent } from "../agents.ts";
import { apply, kubeconfig, kubectl, until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { executionKey, executionsOf, pipeline, run, strings, testAgent } from "../tenant.ts";
import { wipeRedis } from "../verification/faults.ts";
import { decide, reviewOf, untilPhase, workload } from "../workload.ts";
import { resyncForFile, SOON } from "./resync.ts";

// Redis holds the progress of running steps, and nothing that is finished. Every step leaves bytes that differ each time: one that was
// done twice could not pass for the same.

const TOPICS = ["a", "b", "c", "d", "e", "f"];
const RETURNS = 2;
const NAMES = ["wiped", "wiped-too"];

resyncForFile(SOON);
afterAll(async () => {
  await kubectl(["-n", TENANT, "delete", "agentworkload", ...NAMES, "--ignore-not-found", "--timeout=120s"]);
  await deleteAgent(TENANT, "waiting");
});

const { workflows } = connectKube(kubeConfig({ file: kubeconfig }));

async function nodesOf(name: string): Promise<readonly NodeView[]> {
  const workflow = (await workload(TENANT, name))?.status?.workflow;
  const object = workflow && (await workflows.get({ namespace: TENANT, name: workflow }));
  return object ? argoEngine.view(object).nodes : [];
}

/** The execution that a step's node stands for. */
function keyOf({ step, index }: NodeView): string {
  const at = index ?? 0;
  const items: Record<string, unknown> = {
    find: TOPICS[at],
    read: { of: TOPICS[Math.floor(at / RETURNS)], index: at % RETURNS },
  };
  return executionKey(step, items[step]);
}

interface Finished {
  readonly name: string;
  /** Output of each finished step's node, which names the digest of its result. */
  readonly outputs: ReadonlyMap<string, string | undefined>;
  readonly executions: ReadonlyMap<string, number>;
}

async function finishedOf(name: string): Promise<Finished> {
  const nodes = (await nodesOf(name)).filter(({ role, phase }) => role === "step" && phase === "Succeeded");
  const object = await workload(TENANT, name);
  const executions = object ? await executionsOf(object) : new Map<string, number>();
  return { name, outputs: new Map(nodes.map((node) => [keyOf(node), node.output])), executions };
}

async function wipe(): Promise<Finished[]> {
  const finished = await Promise.all(NAMES.map(finishedOf));
  await wipeRedis();
  return finished;
}

/** Steps of the first workload that have ended while another one runs. */
const amid = (step: string, count: number) =>
  until(`${count} of ${step} to have ended while others run`, async () => {
    const nodes = (await nodesOf(NAMES[0] ?? "")).filter((node) => node.role === "step" && node.step === step);
    const ended = nodes.filter(({ phase }) => phase === "Succeeded").length;
    return ended >= count && nodes.some(({ phase }) => phase === "Running");
  });

const reviewOpen = (gate: string) =>
  Promise.all(
    NAMES.map((name) =>
      until(`the review ${gate} of ${name}`, async () => {
        const object = await workload(TENANT, name);
        return object && reviewOf(object, gate)?.["digest"];
      }),
    ),
  );

const approve = (gate: string) => Promise.all(NAMES.map((name) => decide(TENANT, name, "approved", { gate })));

test("wiped at any moment of a run: nothing that was finished is done again, and no run fails", async () => {
  const steps = [
    { name: "find", agent: "waiting", forEach: "inputs.topics", with: ["returns"] },
    { name: "first", gate: {}, after: ["find"] },
    { name: "read", agent: "waiting", forEach: "steps.find.items", after: ["find", "first"] },
    { name: "second", gate: {}, after: ["read"] },
    { name: "write", agent: "waiting", after: ["second", "read"] },
  ];
  const inputs = { schema: { type: "object", properties: { topics: strings, returns: { type: "integer" } } } };
  await createAgents(await testAgent("waiting", { STEP_MS: "1500" }));
  await apply(pipeline("wiped", { inputs, steps }));
  const spec = { pipeline: "wiped", inputs: { topics: TOPICS, returns: RETURNS }, replicas: 2 };
  await apply(...NAMES.map((name) => run(name, spec)));

  const wipes: Finished[] = [];
  const wipeWhen = async (moment: Promise<unknown>): Promise<void> => {
    await moment;
    wipes.push(...(await wipe()));
  };
  await wipeWhen(amid("find", 2));
  const first = await reviewOpen("first");
  await wipeWhen(Promise.resolve());
  await approve("first");
  await wipeWhen(amid("read", 3));
  await wipeWhen(amid("read", 7));
  const second = await reviewOpen("second");
  await approve("second");
  await wipeWhen(
    until("write to run", async () =>
      (await nodesOf(NAMES[0] ?? "")).some(({ step, phase }) => step === "write" && phase === "Running"),
    ),
  );

  for (const [at, name] of NAMES.entries()) {
    const done = await untilPhase(TENANT, name, "Succeeded");
    expect(done.status.items).toMatchObject({ total: 18, done: 18, failed: 0 });
    // What was shown is what was approved.
    expect(reviewOf(done, "first")).toMatchObject({ digest: first[at], decision: "approved" });
    expect(reviewOf(done, "second")).toMatchObject({ digest: second[at], decision: "approved" });
  }
  const after = new Map(await Promise.all(NAMES.map(async (name) => [name, await finishedOf(name)] as const)));
  for (const { name, outputs, executions } of wipes) {
    const now = after.get(name);
    for (const [key, output] of outputs)
      expect([name, key, now?.outputs.get(key), now?.executions.get(key)]).toEqual([
        name,
        key,
        output,
        executions.get(key),
      ]);
  }
  // The moments were worth it: at each something had been finished.
  const sizes = wipes.filter(({ name }) => name === NAMES[0]).map(({ outputs }) => outputs.size);
  expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
  expect([sizes[1], sizes.at(-1)]).toEqual([6, 18]);
});
