import {
  addUsage,
  type EgressUsage,
  failedResult,
  type ModelCalls,
  NO_USAGE,
  type StepResult,
  type Usage,
  type WorkloadRef,
} from "../../engine/result.ts";
import { RetryableError } from "../errors.ts";
import { endAttempt, inAttempt, inRecorded } from "../telemetry/attempt-span.ts";
import { attemptStep } from "./attempt.ts";
import type { DurableStep, RunDurably, StepContext } from "./durable.ts";
import type { ResultStore } from "./results.ts";
import type { StartedStep, StepEnd, StepStore } from "./step-store.ts";

export interface RunDurablyOptions {
  readonly store: StepStore;
  readonly results: ResultStore;
  /** Names this process in the lease. */
  readonly holder: string;
  readonly leaseTtlMs: number;
  /** Says whether the holder of a lease is known to be dead: its lease is then taken over at once. */
  readonly isDead?: (holder: string) => boolean;
  /** How long the record of a finished step is kept. */
  readonly keepMs: number;
  /** Supersteps that a graph may take in one attempt. */
  readonly recursionLimit: number;
  readonly now: () => Date;
  /** The calls to models that a step paid for so far. @throws RetryableError StoreUnavailable */
  readonly modelCalls: (workload: WorkloadRef, identity: string) => Promise<readonly ModelCalls[]>;
  /** What a step did through the egress proxy so far; undefined: nobody knows. */
  readonly egress: (step: Pick<StepContext, "identity" | "egressToken">) => Promise<EgressUsage | undefined>;
}

export function createRunDurably(options: RunDurablyOptions): RunDurably {
  const { store, results, holder, leaseTtlMs, isDead } = options;
  const request = { holder, leaseTtlMs, ...(isDead ? { isDead } : {}) };
  const run = async (step: DurableStep, lostResult?: string): Promise<StepResult> => {
    const { identity, workload } = step.context;
    const lost = lostResult === undefined ? {} : { lostResult };
    const start = await store.start(identity, { ...request, ...lost, now: options.now() });
    if ("dropped" in start)
      return failedResult(
        "WorkloadDeleted",
        "the workload was deleted while this request was on its way: nothing was done",
      );
    if ("heldBy" in start)
      throw new RetryableError("LeaseHeld", `${start.heldBy} works on this step`, { countsAsAttempt: false });
    const wasEnded = "ended" in start;
    const { digest } = wasEnded ? start.ended : await finishStep(step, start.started, options);
    const read = () => results.get(workload, digest);
    const result = wasEnded ? await inRecorded(step.context, read) : await read();
    if (result) return result;
    if (digest !== lostResult && wasEnded) return run(step, digest);
    throw new RetryableError("ArtifactStoreUnavailable", `the object store lost the result ${digest} at once`, {
      countsAsAttempt: false,
    });
  };
  return (step) => run(step);
}

function finishStep(step: DurableStep, started: StartedStep, options: RunDurablyOptions): Promise<StepEnd> {
  const { workload } = step.context;
  return inAttempt(step.context, started, async (span) => {
    try {
      const ended = crashedResult(step, started) ?? (await attemptStep(step, started, options));
      const result = await withAccounts(ended, step, options);
      endAttempt(step.context.step, span, result);
      // The record must never name a result that is not stored.
      const digest = await options.results.put(workload, result);
      return await started.finish({ outcome: result.outcome, digest, finishedAt: options.now() }, options.keepMs);
    } catch (error) {
      await started.release();
      throw error;
    }
  });
}

/** What the ledger and the egress proxy say of the step, not its agent. A step that fails says nothing itself of what it paid before. */
async function withAccounts(
  ended: StepResult,
  { context }: DurableStep,
  options: RunDurablyOptions,
): Promise<StepResult> {
  const { modelCalls: _calls, egress: _egress, ...result } = ended;
  const [modelCalls, egress] = await Promise.all([
    options.modelCalls(context.workload, context.identity),
    context.claims.allow.length === 0 ? undefined : options.egress(context),
  ]);
  const saysNothing = result.outcome === "failed" && result.usage.costUsd === 0;
  return {
    ...result,
    ...(saysNothing ? { usage: paidUsage(modelCalls, result.usage) } : {}),
    ...(modelCalls.length === 0 ? {} : { modelCalls: [...modelCalls] }),
    ...(egress === undefined ? {} : { egress }),
  };
}

function paidUsage(modelCalls: readonly ModelCalls[], { browserSeconds }: Usage): Usage {
  const sum = modelCalls.reduce(
    (all, { inputTokens, outputTokens, costUsd }) => addUsage(all, { ...NO_USAGE, inputTokens, outputTokens, costUsd }),
    NO_USAGE,
  );
  return { ...sum, browserSeconds };
}

/** The end of a step that kills its process again and again: no exception would ever say so. */
function crashedResult({ context }: DurableStep, { crashes, failures }: StartedStep): StepResult | undefined {
  const starts = crashes + failures;
  if (crashes === 0 || starts <= context.claims.retryLimit) return undefined;
  const times = crashes === 1 ? "once" : `${crashes} times`;
  return failedResult(
    "Crashed",
    `gave up after ${starts} starts: the process that ran it ended ${times} without an answer (killed, out of memory, or crashed). Look at the agent's last logs with 'kubectl logs --previous', give it more memory if that was the cause, and delete the Workflow to try again`,
  );
}
