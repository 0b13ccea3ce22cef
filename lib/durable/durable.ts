import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { Logger } from "../log.ts";
import type { StepInput, StepResult, WorkloadRef } from "../step.ts";
import type { StepClaims } from "../token.ts";

/**
 * What a graph's nodes get beside the state: LangGraph's `runtime.context`. Never stored, given anew at every attempt.
 * Nodes pass `signal` to whatever they wait for: it aborts at the deadline, when the lease is lost and when the process drains.
 */
export interface StepContext {
  readonly identity: string;
  readonly workload: WorkloadRef;
  readonly run: string;
  readonly input: StepInput;
  readonly claims: StepClaims;
  /** The raw step token: the password to the egress proxy. */
  readonly token: string;
  readonly deadline: Date;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** LangGraph's context is typed by a schema; ours holds a signal and a logger, which no schema describes. */
export function contextOf(runtime: { readonly context?: unknown }): StepContext {
  return runtime.context as StepContext;
}

/**
 * A step's graph, not yet compiled: one node a durable effect. Its state starts as `{ identity }` and must end with `result`
 * set by the last node. Each node returns only the keys that it changes; state holds artifact keys, never bytes.
 */
export interface StepGraph {
  compile(options: { checkpointer: BaseCheckpointSaver }): StepRunnable;
}

export interface StepRunnable {
  invoke(input: unknown, config: Record<string, unknown>): Promise<{ result?: StepResult | undefined }>;
}

export interface DurableStep {
  readonly graph: StepGraph;
  readonly context: Omit<StepContext, "signal">;
  readonly retryLimit: number;
  /** Aborts when the process drains. */
  readonly signal: AbortSignal;
}

/**
 * Runs a step to its end, at most once for each identity.
 * Asked again after the end, answers the recorded result without running a node. A TerminalError of a node, a passed deadline
 * and a spent retryLimit end the step with outcome "failed"; that is a result, not an exception.
 * @throws RetryableError LeaseHeld, LeaseLost, Draining, StoreUnavailable, or what a node threw while attempts are left.
 */
export type RunDurably = (step: DurableStep) => Promise<StepResult>;
