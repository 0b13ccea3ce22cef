import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";

/** How a step ended. Its result is in the object store under `digest` (lib/durable/results.ts). */
export interface StepEnd {
  readonly outcome: "succeeded" | "failed";
  /** 64 hex characters. */
  readonly digest: string;
  readonly finishedAt: Date;
}

/**
 * Keeps the progress of running steps: who works on each, its checkpoints, how its earlier starts went, how it ended.
 * Every implementation decides how its checkpoints end. All methods throw RetryableError StoreUnavailable.
 */
export interface StepStore {
  /** Acquires the lease of the step and counts the start, in one round trip. */
  start(identity: string, request: StartRequest): Promise<Start>;
  /** Deletes everything it keeps of these steps: the next start begins anew, and whoever works on one loses its lease. */
  forget(identities: readonly string[]): Promise<void>;
  /**
   * Deletes everything it keeps of these steps for good: until `keepMs` later none can be started. Whoever works on one loses its lease,
   * which nobody else gets before it has given the step back or the lease has run out.
   */
  drop(identities: readonly string[], keepMs: number): Promise<void>;
}

export interface StartRequest {
  /** Names the process, for people. */
  readonly holder: string;
  readonly leaseTtlMs: number;
  /** Says whether the holder of a lease is known to be dead: its lease is then taken over at once. */
  readonly isDead?: (holder: string) => boolean;
  readonly now: Date;
  /** The digest of an end to forget: the object store lost that result, so the step is done again. */
  readonly lostResult?: string;
}

/** "dropped": the step's workload is deleted. */
export type Start =
  | { readonly ended: StepEnd }
  | { readonly heldBy: string }
  | { readonly dropped: true }
  | { readonly started: StartedStep };

/** One start of a step, by this process. */
export interface StartedStep {
  /** A UUID of this start, and that of the one before it. */
  readonly token: string;
  readonly previous: string | undefined;
  /** The checkpoints, under the identity as their thread. A process that lost the lease cannot write to them. */
  readonly checkpointer: BaseCheckpointSaver;
  /** False for the first start: there is no checkpoint to look for. */
  readonly startedBefore: boolean;
  /** Earlier starts that ended in an error of the step's own. */
  readonly failures: number;
  /** Earlier starts whose process neither finished the step nor gave it back. */
  readonly crashes: number;
  /** Aborts with RetryableError LeaseLost when another process took over, or the lease was not renewed in time. */
  readonly lost: AbortSignal;
  /**
   * Counts this start as failed, and gives the step back while at most `retryLimit` starts have failed or crashed.
   * @returns how many have, this one included. @throws RetryableError LeaseLost
   */
  countFailure(retryLimit: number): Promise<number>;
  /**
   * Records the end, deletes the checkpoints and gives the step back. The record expires `keepMs` later.
   * @returns the end that stands: the first. @throws RetryableError LeaseLost
   */
  finish(end: StepEnd, keepMs: number): Promise<StepEnd>;
  /** Gives the step back, so that this start counts as nothing. Never throws: while Redis is away it is tried again. */
  release(): Promise<void>;
}

/** What a script answers about an end. */
export function endOf([outcome, digest, finishedAt]: readonly unknown[]): StepEnd {
  return {
    outcome: String(outcome) === "succeeded" ? "succeeded" : "failed",
    digest: String(digest),
    finishedAt: new Date(String(finishedAt)),
  };
}
