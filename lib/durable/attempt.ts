import { INTERRUPT } from "@langchain/langgraph";
import { failedResult, type StepResult, stepResultSchema } from "../../engine/result.ts";
import { levelOf, RetryableError, TerminalError } from "../errors.ts";
import { schemaProblems } from "../schema-problems.ts";
import type { DurableStep } from "./durable.ts";
import { ShapedSaver, shapeOf } from "./graph-shape.ts";
import type { StartedStep } from "./step-store.ts";
import { traced } from "./traced-graph.ts";

interface AttemptOptions {
  readonly recursionLimit: number;
  readonly now: () => Date;
}

/**
 * Runs the graph from its last checkpoint, once.
 * @returns how the step ended. @throws RetryableError when another attempt may end better
 */
export async function attemptStep(
  step: DurableStep,
  started: StartedStep,
  { recursionLimit, now }: AttemptOptions,
): Promise<StepResult> {
  const { context } = step;
  const left = context.deadline.getTime() - now().getTime();
  if (left <= 0) return failedResult("DeadlineExceeded", "the deadline had passed before the step could start");
  const deadline = AbortSignal.timeout(Math.min(left, 2 ** 31 - 1));
  const signal = AbortSignal.any([started.lost, step.signal, deadline]);
  try {
    return await invokeGraph(step, started, signal, recursionLimit);
  } catch (thrown) {
    // What aborted the signal decides, and not what a node made of it.
    if (signal.aborted) {
      if (signal.reason === deadline.reason)
        return failedResult("DeadlineExceeded", `not done by its deadline, ${context.deadline.toISOString()}`);
      if (signal.reason === started.lost.reason) throw signal.reason;
      throw new RetryableError("Draining", "this instance is shutting down", { countsAsAttempt: false });
    }
    const error = causeOf(thrown, recursionLimit);
    if (error instanceof TerminalError) return failedResult(error.reason, error.message);
    if (error instanceof RetryableError && !error.countsAsAttempt) throw error;
    const attempts = await started.countFailure(context.claims.retryLimit);
    context.log[levelOf(error)]({ err: error, attempts }, "attempt failed");
    if (attempts <= context.claims.retryLimit) throw error;
    const reason = error instanceof RetryableError ? error.reason : "Internal";
    return failedResult(reason, `${error.message} (after ${attempts} attempts)`);
  }
}

async function invokeGraph(
  { graph, context }: DurableStep,
  { checkpointer: saver, startedBefore }: StartedStep,
  signal: AbortSignal,
  recursionLimit: number,
): Promise<StepResult> {
  const { identity } = context;
  const configurable = { thread_id: identity };
  const shape = shapeOf(graph);
  const checkpointer = shape === undefined ? saver : new ShapedSaver(saver, shape);
  const runnable = traced(graph).compile({ checkpointer });
  // Looked for while the lease is held: an earlier look would miss what another process has done since.
  const checkpoint = startedBefore ? await checkpointer.getTuple({ configurable }) : undefined;
  // "sync": a node's writes are in Redis before the next node starts.
  const config = { configurable, context: { ...context, signal }, signal, durability: "sync", recursionLimit };
  const state: object = await runnable.invoke(checkpoint ? null : { identity }, config);
  if (INTERRUPT in state)
    throw new TerminalError(
      "InterruptUnsupported",
      "the graph called interrupt(), which a step cannot wait for. To let a person decide, end the graph without it and put a step with `gate` after this one into the pipeline",
    );
  const parsed = stepResultSchema.safeParse((state as { result?: unknown }).result);
  if (parsed.success) return parsed.data;
  throw new TerminalError(
    "InvalidResult",
    `the graph's last node must return { result }, a valid step result: ${schemaProblems(parsed.error)}`,
  );
}

/** The error that decides: LangGraph may wrap what a node threw, and ours is then among the causes. */
function causeOf(thrown: unknown, recursionLimit: number): Error {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof TerminalError || error instanceof RetryableError) return error;
    // By name: an agent of one's own may bring another copy of LangGraph.
    if (error.name === "GraphRecursionError")
      return new TerminalError(
        "RecursionLimit",
        `the graph took ${recursionLimit} supersteps and did not end. If it needs more, set RECURSION_LIMIT higher; otherwise look for a loop that never ends`,
        { cause: error },
      );
  }
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
