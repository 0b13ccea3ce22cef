import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import { contextOf, type StepGraph } from "../../../lib/durable/durable.ts";
import { serveAgent } from "../../../lib/serve-agent.ts";
import { NO_USAGE, type StepResult } from "../../../lib/step.ts";

/** Beside those of every function (lib/config.ts). */
const settings = z.object({
  /** The step it speaks for, e.g. scrape. */
  STEP: z.string().min(1),
  STEP_MS: z.coerce.number().int().min(0).default(1000),
});

const State = Annotation.Root({
  identity: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** A function whose step waits and does nothing else: what a benchmark then measures is everything around it. */
export async function serveWaiting(env: Readonly<Record<string, string | undefined>>): Promise<never> {
  const { STEP, STEP_MS } = settings.parse(env);
  return serveAgent({ step: STEP, graph: () => waiting(STEP_MS) });
}

function waiting(ms: number): StepGraph {
  return new StateGraph(State)
    .addNode("wait", async (_state, runtime) => {
      await sleep(ms, undefined, { signal: contextOf(runtime).signal });
      const result: StepResult = { outcome: "succeeded", output: `waited ${ms} ms`, artifacts: {}, usage: NO_USAGE };
      return { result };
    })
    .addEdge(START, "wait")
    .addEdge("wait", END);
}
