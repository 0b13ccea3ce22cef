import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import type { Redis } from "ioredis";
import { RetryableError, TerminalError } from "../errors.ts";
import { NO_USAGE, type StepResult } from "../step.ts";
import type { DurableStep, RunDurably } from "./durable.ts";
import { threadKeys } from "./keys.ts";
import { acquireLease, type Lease } from "./lease.ts";
import { acceptStep, countAttempt, finishStep, readRecord } from "./record.ts";

export interface RunDurablyOptions {
  readonly redis: Redis;
  /** Makes the saver of one attempt; the token fences its writes. */
  readonly saver: (fencingToken: number) => BaseCheckpointSaver;
  /** Names this process in the lease. */
  readonly holder: string;
  readonly leaseTtlMs: number;
  /** Whether the holder of a lease is known to be dead (lib/durable/lease.ts). */
  readonly isDead?: (holder: string) => boolean;
  /** How long record and checkpoints are kept from the step's end on. */
  readonly keepMs: number;
  readonly now: () => Date;
}

export function createRunDurably(options: RunDurablyOptions): RunDurably {
  const { redis } = options;
  return async (step) => {
    const { identity } = step.context;
    const known = await readRecord(redis, identity);
    if (known?.result) return known.result;
    // Asked for together, in this order: one round trip, one fsync.
    const [, lease, record] = await Promise.all([
      acceptStep(redis, identity, options.now()),
      acquireStepLease(identity, options),
      readRecord(redis, identity),
    ]);
    if ("heldBy" in lease)
      throw new RetryableError("LeaseHeld", `${lease.heldBy} works on this step`, { countsAsAttempt: false });
    try {
      // It may have ended between the first look and the lease.
      const result = record?.result ?? (await attempt(step, lease, options, known !== undefined));
      // The release goes out behind the result: nobody finds the step free and unfinished.
      const [standing] = await Promise.all([
        finishStep(redis, identity, { result, now: options.now(), token: lease.fencingToken, keepMs: options.keepMs }),
        lease.release(),
      ]);
      return standing;
    } catch (error) {
      await lease.release().catch(() => {
        // Redis is away: the lease ends by itself.
      });
      throw error;
    }
  };
}

function acquireStepLease(identity: string, { redis, holder, leaseTtlMs, isDead }: RunDurablyOptions) {
  const { lease, fence } = threadKeys(identity);
  return acquireLease(redis, { lease, fence, holder, ttlMs: leaseTtlMs, ...(isDead ? { isDead } : {}) });
}

async function attempt(
  step: DurableStep,
  lease: Lease,
  options: RunDurablyOptions,
  isKnown: boolean,
): Promise<StepResult> {
  const { context } = step;
  const left = context.deadline.getTime() - options.now().getTime();
  if (left <= 0) return failed("DeadlineExceeded", "the deadline had passed before the step could start");
  const draining = abortWith(
    step.signal,
    () => new RetryableError("Draining", "this instance is going away", { countsAsAttempt: false }),
  );
  const deadline = AbortSignal.timeout(Math.min(left, 2 ** 31 - 1));
  const signal = AbortSignal.any([lease.lost, draining, deadline]);
  try {
    return await invoke(step, signal, options.saver(lease.fencingToken), isKnown);
  } catch (thrown) {
    if (lease.lost.aborted) throw lease.lost.reason;
    if (deadline.aborted)
      return failed("DeadlineExceeded", `not done by its deadline, ${context.deadline.toISOString()}`);
    if (draining.aborted) throw draining.reason;
    const error = ownError(thrown);
    if (error instanceof TerminalError) return failed(error.reason, error.message);
    if (error instanceof RetryableError && !error.countsAsAttempt) throw error;
    const attempts = await countAttempt(options.redis, context.identity);
    context.log.info({ err: error, attempts }, "attempt failed");
    if (attempts <= step.retryLimit) throw error;
    const reason = error instanceof RetryableError ? error.reason : "Internal";
    return failed(reason, `${error.message} (after ${attempts} attempts)`);
  }
}

async function invoke(
  step: DurableStep,
  signal: AbortSignal,
  checkpointer: BaseCheckpointSaver,
  isKnown: boolean,
): Promise<StepResult> {
  const { identity } = step.context;
  const configurable = { thread_id: identity };
  const runnable = step.graph.compile({ checkpointer });
  // A step that nobody accepted before has no checkpoint to ask for.
  const begun = isKnown && (await checkpointer.getTuple({ configurable }));
  signal.throwIfAborted();
  // "sync": a node's writes are in Redis before the next node starts.
  const config = { configurable, context: { ...step.context, signal }, signal, durability: "sync" };
  const { result } = await runnable.invoke(begun ? null : { identity }, config);
  if (!result) throw new TypeError("the graph ended without a result");
  return result;
}

/** LangGraph may wrap what a node threw; ours is then among the causes. */
function ownError(thrown: unknown): Error {
  for (let error = thrown; error instanceof Error; error = error.cause)
    if (error instanceof TerminalError || error instanceof RetryableError) return error;
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

function failed(reason: string, message: string): StepResult {
  return { outcome: "failed", reason, message: message.slice(0, 1024), artifacts: {}, usage: NO_USAGE };
}

function abortWith(signal: AbortSignal, reason: () => Error): AbortSignal {
  const controller = new AbortController();
  if (signal.aborted) controller.abort(reason());
  else signal.addEventListener("abort", () => controller.abort(reason()), { once: true });
  return controller.signal;
}
