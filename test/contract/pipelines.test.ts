import fc from "fast-check";
import { afterAll, describe, test } from "vitest";
import { argoEngine } from "../../functions/reconcile/argo/engine.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";
import { kubectl } from "../kubernetes/cluster.ts";
import { NAMESPACE } from "../kubernetes/namespaces.ts";
import { startedSteps } from "../unit/reconcile/argo.ts";
import { createHarness, done, type Harness, pipelineOf } from "../unit/reconcile/harness.ts";
import {
  decideAll,
  harnessOptions,
  playInMemory,
  type RandomRun,
  randomRun,
  requestLine,
} from "../unit/reconcile/random-pipeline.ts";
import { workflows } from "./workflows.ts";

// The DAGs that reconcile renders, on the real Argo, against Argo in memory (test/unit/reconcile/argo.ts): with the same answers both
// start the same nodes, ask for the same steps, and end in the same phase.

interface Ended {
  readonly phase: string | undefined;
  readonly engine: unknown;
  readonly asked: string[];
  readonly started: string[];
}

async function onArgo(drawn: RandomRun, name: string): Promise<Ended> {
  const ref = { namespace: NAMESPACE, name };
  const world = createHarness({ ...harnessOptions(drawn), workflows, ref, now: () => new Date() });
  const until = Date.now() + 120_000;
  while (!world.status.finishedAt) {
    if (Date.now() > until) throw new Error(`not ended in time: ${JSON.stringify(world.status, null, 1)}`);
    await world.look();
    await world.deliverAll();
    decideAll(world, drawn);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const workflow = await workflows.get({ namespace: NAMESPACE, name: world.status.workflow ?? "" });
  return ended(world, workflow);
}

async function inMemory(drawn: RandomRun, name: string): Promise<Ended> {
  const world = await playInMemory(drawn, { namespace: NAMESPACE, name });
  return ended(world, world.workflow);
}

function ended(world: Harness, workflow: KubeObject | undefined): Ended {
  if (!workflow) throw new Error("the Workflow is gone");
  return {
    phase: world.status.phase,
    engine: (workflow.status as { phase?: string }).phase,
    asked: world.requests.map(requestLine).toSorted(),
    started: startedSteps(workflow),
  };
}

/** Shapes that must be in, whatever is drawn. */
const array = { type: "array" };
const base = {
  inputs: { a: ["a0", "a1", "a2"], b: [] },
  replicas: 2,
  failedItems: 3,
  rejected: new Set<string>(),
};
const inputs = { schema: { type: "object", properties: { a: array, b: array } } };
const fixed: Record<string, RandomRun> = {
  "a diamond in a fan-out, one item of which fails, and a step after all of it": {
    ...base,
    pipeline: pipelineOf({
      inputs,
      steps: [
        { name: "one", agent: "x", forEach: "inputs.a" },
        { name: "left", agent: "x", forEach: "inputs.a", after: ["one"] },
        { name: "right", agent: "x", forEach: "inputs.a", after: ["one"] },
        { name: "both", agent: "x", forEach: "inputs.a", after: ["left", "right"] },
        { name: "last", agent: "x", after: ["both"] },
      ],
    }),
    answer: ({ step, input }) =>
      step === "left" && input.item === "a1"
        ? { ...done(), outcome: "failed", reason: "Unlucky", message: "why" }
        : done(),
  },
  "fan-outs over what steps returned: of each item, of nothing; and over an empty input": {
    ...base,
    pipeline: pipelineOf({
      inputs,
      steps: [
        { name: "find", agent: "x", forEach: "inputs.a" },
        { name: "check", agent: "x", forEach: "steps.find.items", after: ["find"] },
        { name: "none", agent: "x", forEach: "steps.check.items", after: ["check"] },
        { name: "empty", agent: "x", forEach: "inputs.b", after: ["find"] },
        { name: "last", agent: "x", after: ["none", "empty"] },
      ],
    }),
    answer: ({ step, input }) =>
      done(
        step === "find"
          ? { items: [{ url: `${String(input.item)}/1` }, { url: `${String(input.item)}/2` }] }
          : { items: [] },
      ),
  },
  "two gates at once, one of which is rejected, and a branch beside them": {
    ...base,
    rejected: new Set(["no"]),
    pipeline: pipelineOf({
      inputs,
      steps: [
        { name: "first", agent: "x" },
        { name: "yes", gate: {}, after: ["first"] },
        { name: "no", gate: {}, after: ["first"] },
        { name: "after-yes", agent: "x", after: ["yes"] },
        { name: "after-no", agent: "x", after: ["no"] },
        { name: "after-both", agent: "x", after: ["after-yes", "after-no"] },
        { name: "beside", agent: "x", forEach: "inputs.a", after: ["first"] },
      ],
    }),
    answer: () => done(),
  },
  "skipped steps, in a fan-out and alone": {
    ...base,
    pipeline: pipelineOf({
      inputs,
      steps: [
        { name: "some", agent: "x", forEach: "inputs.a", when: "item != 'a1'" },
        { name: "never", agent: "x", after: ["some"], when: "steps.some.succeeded > 2" },
        { name: "last", agent: "x", after: ["never"] },
      ],
    }),
    answer: () => done(),
  },
};

const sixty = Array.from({ length: 60 }, (_, index) => `w${index}`);
fixed["sixty steps side by side, ten gates, and one step after all"] = {
  ...base,
  pipeline: pipelineOf({
    inputs,
    steps: [
      ...sixty.slice(0, 50).map((name) => ({ name, agent: "x" })),
      ...sixty.slice(50).map((name, index) => ({ name, gate: {}, after: [`w${index}`] })),
      { name: "last", agent: "x", after: sixty.slice(30) },
    ],
  }),
  answer: () => done(),
};

describe("rendered pipelines on the real Argo", () => {
  test.concurrent.for(Object.entries(fixed))("%s", async ([, drawn], { expect: local }) => {
    const name = `fixed-${Object.values(fixed).indexOf(drawn)}`;
    local(await onArgo(drawn, name)).toEqual(await inMemory(drawn, name));
  });

  // Seeded: what CI runs is what a developer sees. A failing draw of test/unit/reconcile/agreement.test.ts belongs among the fixed ones.
  const drawn = fc.sample(randomRun, { seed: 7, numRuns: 12 });
  test.concurrent.for([...drawn.entries()])("drawn %#", async ([index, one], { expect: local }) => {
    const [argo, memory] = [await onArgo(one, `drawn-${index}`), await inMemory(one, `drawn-${index}`)];
    local([argo.phase, argo.engine]).toEqual([memory.phase, memory.engine]);
    // A run that fails stops wherever it is.
    if (memory.phase !== "Failed") local(argo).toEqual(memory);
  });

  // Those alone: other tests have runs in the same namespace.
  afterAll(() => {
    const names = [
      ...Object.keys(fixed).map((_, index) => `fixed-${index}`),
      ...drawn.map((_, index) => `drawn-${index}`),
    ];
    const selector = `${argoEngine.workloadLabel} in (${names.join(",")})`;
    return kubectl(["-n", NAMESPACE, "delete", "workflows.argoproj.io", "-l", selector, "--wait=false"]);
  });
});
