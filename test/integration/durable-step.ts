import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { pino } from "pino";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import type { DurableStep, RunDurably, StepContext, StepGraph } from "../../lib/durable/durable.ts";
import { createRunDurably, type RunDurablyOptions } from "../../lib/durable/run.ts";

export const SUCCEEDED: StepResult = { outcome: "succeeded", artifacts: { a: "k" }, usage: NO_USAGE };

/** The state of a step's graph. */
export const State = Annotation.Root({ identity: Annotation<string>, result: Annotation<StepResult | undefined> });

type Body = (context: StepContext) => Promise<StepResult | undefined>;

/** Nodes one after the other. */
export function graphOf(nodes: Readonly<Record<string, Body>>): StepGraph {
  const [first = "", ...rest] = Object.keys(nodes);
  const graph = new StateGraph(State) as StateGraph<
    typeof State.State,
    typeof State.State,
    typeof State.Update,
    string
  >;
  for (const [name, body] of Object.entries(nodes))
    graph.addNode(name, async (_state, runtime) => {
      const result = await body((runtime as { context?: unknown }).context as StepContext);
      return result ? { result } : {};
    });
  graph.addEdge(START, first);
  [first, ...rest].forEach((name, at) => {
    graph.addEdge(name, rest[at] ?? END);
  });
  return graph;
}

/** A step of one node, or of the graph given. */
export function stepOf(
  graph: Body | StepGraph,
  over: {
    readonly identity?: string;
    readonly retryLimit?: number;
    readonly deadline?: Date;
    readonly signal?: AbortSignal;
  } = {},
): DurableStep {
  const { identity = "id", retryLimit = 2, deadline = new Date(Date.now() + 180_000) } = over;
  return {
    graph: typeof graph === "function" ? graphOf({ work: graph }) : graph,
    signal: over.signal ?? new AbortController().signal,
    context: {
      identity,
      workload: { namespace: "default", name: "demo", uid: "uid" },
      run: "run",
      step: "work",
      input: { params: {}, from: {} },
      claims: { sub: "uid", jti: identity, allow: [], run: "run", deadline: deadline.toISOString(), retryLimit },
      egressToken: "",
      deadline,
      log: pino({ level: "silent" }),
    },
  };
}

/** Does steps, as a process does. What a test is not about is the same for all. */
export function runnerOf(own: Pick<RunDurablyOptions, "store" | "results"> & Partial<RunDurablyOptions>): RunDurably {
  return createRunDurably({
    holder: "test",
    leaseTtlMs: 20_000,
    keepMs: 60_000,
    recursionLimit: 12,
    now: () => new Date(),
    modelCalls: async () => [],
    egress: async () => undefined,
    ...own,
  });
}
