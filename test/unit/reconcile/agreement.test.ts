import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runPipeline } from "../../../cli/local/runner.ts";
import { agentSchema } from "../../../crd/agent.ts";
import { agentPipelineSchema, pipelineSpecSchema } from "../../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../../crd/agentworkload.ts";
import { agentNames, freeze } from "../../../engine/freeze.ts";
import { failedResult, NO_USAGE } from "../../../engine/result.ts";
import { runOf } from "../../../engine/run.ts";
import { REJECTED, type RunEnd } from "../../../engine/walk.ts";
import { done, REF, UID } from "./harness.ts";
import { APPROVED, harnessOptions, playInMemory, type RandomRun, randomRun, requestLine } from "./random-pipeline.ts";

/** The run on one machine: the CLI's runner, with every effect in memory. */
async function locally(drawn: RandomRun): Promise<{ asked: string[]; end: RunEnd }> {
  const pipeline = agentPipelineSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentPipeline",
    metadata: { namespace: "agentic-system", name: "p" },
    spec: drawn.pipeline,
  });
  const frozen = freeze(pipeline, new Map(agentNames(pipeline).map((name) => [name, agentOf(name)])));
  if (!("pipeline" in frozen)) throw new Error(frozen.problem);
  const asked: string[] = [];
  const { end } = await runPipeline(
    runOf({ ...REF, uid: UID }, workloadSpecSchema.parse(harnessOptions(drawn).spec), frozen.pipeline),
    {
      async dispatch({ step, request }) {
        const order = { workload: request.workload, step: step.name, input: request.input };
        asked.push(requestLine(order));
        return drawn.answer(order);
      },
      recorded: async () => undefined,
      findPrevious: async () => undefined,
      record: async () => undefined,
      decide: async ({ gate }) =>
        drawn.rejected.has(gate.name) ? failedResult(REJECTED, "as drawn") : done({ output: APPROVED }),
      emit: () => undefined,
      signal: new AbortController().signal,
      deadline: new AbortController().signal,
      now: () => new Date(),
      traceSeed: "seed",
    },
  );
  return { asked, end };
}

function agentOf(name: string) {
  const agent = agentSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "Agent",
    metadata: { namespace: "agentic-system", name },
    spec: { uri: `http://${name}.example/` },
  });
  return { ...agent, revision: "r1" };
}

/** The same by reconcile and Argo. */
async function reconciled(drawn: RandomRun): Promise<{ asked: string[]; phase: string | undefined }> {
  const world = await playInMemory(drawn);
  return { asked: world.requests.map(requestLine), phase: world.status.phase };
}

const pipeline = pipelineSpecSchema.parse({
  steps: [
    { name: "extra", agent: "worker", optional: true },
    { name: "main", agent: "worker", after: ["extra"] },
  ],
});
const optionalFails: RandomRun = {
  ...{ pipeline, inputs: {}, replicas: 1, failedItems: 0, rejected: new Set() },
  answer: ({ step }) =>
    step === "extra"
      ? failedResult("Broken", "it broke")
      : { outcome: "succeeded", artifacts: {}, usage: { ...NO_USAGE } },
};

describe("one machine and a cluster agree", () => {
  test("that what comes after an optional step runs, although that failed", async () => {
    const here = await locally(optionalFails);
    const there = await reconciled(optionalFails);
    expect([here.end.phase, there.phase]).toEqual(["Succeeded", "Succeeded"]);
    expect(there.asked).toEqual(here.asked);
  });

  test("on which steps run, with which inputs, and how the run ends", async () => {
    await fc.assert(
      fc.asyncProperty(randomRun, async (drawn) => {
        const here = await locally(drawn);
        const there = await reconciled(drawn);
        expect(there.phase).toBe(here.end.phase);
        // A run that fails stops wherever it is; what it had asked by then depends on the order.
        if (here.end.phase === "Failed") return;
        expect(there.asked.toSorted()).toEqual(here.asked.toSorted());
      }),
      { numRuns: 150 },
    );
  });
});
