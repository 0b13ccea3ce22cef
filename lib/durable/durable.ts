import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { StepInput, StepResult, WorkloadRef } from "../../engine/result.ts";
import type { HostAccess } from "../host-access.ts";
import type { Logger } from "../log.ts";
import type { StepClaims } from "../token.ts";

/**
 * What a graph's nodes get beside the state: LangGraph's `runtime.context`. Never stored, given anew at every attempt.
 * Nodes pass `signal` to whatever they wait for: it aborts at the deadline, when the lease is lost and when the process drains.
 */
export interface StepContext {
  readonly identity: string;
  readonly workload: WorkloadRef;
  readonly run: string;
  /** The step's name in its pipeline. */
  readonly step: string;
  readonly input: StepInput;
  readonly claims: StepClaims;
  /** The password to the egress proxy. */
  readonly egressToken: string;
  /** What it shows to single hosts, by their exact names, and to no other; absent: nothing. */
  readonly hostAccess?: HostAccess;
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
  /** Aborts when the process drains. */
  readonly signal: AbortSignal;
}

/**
 * Runs a step to its end, at most once for each identity.
 * Asked again after the end, answers the stored result, the same bytes each time, without running a node; if the object store lost
 * it, the step is done again. A TerminalError of a node, a passed deadline and a spent retry limit end the step with outcome
 * "failed": that is a result, not an exception. A step whose workload is deleted does nothing, and ends as "failed", too.
 * @throws RetryableError LeaseHeld, LeaseLost, Draining, StoreUnavailable, ArtifactStoreUnavailable, or what a node threw while
 * attempts are left; TerminalError StoreRefused
 */
export type RunDurably = (step: DurableStep) => Promise<StepResult>;
