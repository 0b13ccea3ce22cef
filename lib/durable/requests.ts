import type { ChainableCommander, Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { type StepResult, stepResultSchema } from "../step.ts";
import { threadKeys, workloadKey } from "./keys.ts";
import { FORGET, forgetStep } from "./record.ts";
import { runScript } from "./script.ts";

/** What whoever requests steps sees of one. */
export interface StepState {
  readonly result?: StepResult;
  readonly finishedAt?: Date;
  /** What it was last requested for: an attempt of a node in a Workflow. */
  readonly attempt?: string;
  /** When it was first requested for that. */
  readonly requestedAt?: Date;
  /** A request is on its way, or was a moment ago. */
  readonly requested: boolean;
  /** An instance works on it. */
  readonly held: boolean;
  /** Why its last request came back as a dead letter; stale once it is held or has a result. */
  readonly undeliverable?: string;
}

type RecordFields = readonly (string | null)[];

/** Two round trips for any number of steps, in their order. @throws RetryableError StoreUnavailable */
export async function readStates(redis: Redis, identities: readonly string[]): Promise<StepState[]> {
  const records = (await pipelined(redis, identities, (commands, { record }) => {
    commands.hmget(record, "result", "finishedAt", "attempt", "undeliverable", "requestedAt");
  })) as RecordFields[];
  // Most steps of a run have ended, and nobody works on these.
  const open = identities.filter((_, at) => !records[at]?.[0]);
  const marks = await pipelined(redis, open, (commands, { requested, lease }) => {
    commands.exists(requested).exists(lease);
  });
  const markOf = new Map(open.map((identity, at) => [identity, marks.slice(at * 2, at * 2 + 2)]));
  return identities.map((identity, at) => {
    const [requested, held] = markOf.get(identity) ?? [];
    return { ...recordOf(records[at] ?? []), requested: requested === 1, held: held === 1 };
  });
}

function recordOf([result, finishedAt, attempt, undeliverable, requestedAt]: RecordFields): Partial<StepState> {
  return {
    ...(result ? { result: stepResultSchema.parse(JSON.parse(result)) } : {}),
    ...(finishedAt ? { finishedAt: new Date(finishedAt) } : {}),
    ...(attempt ? { attempt } : {}),
    ...(requestedAt ? { requestedAt: new Date(requestedAt) } : {}),
    ...(undeliverable ? { undeliverable } : {}),
  };
}

/** The same of each step, in one round trip. */
async function pipelined(
  redis: Redis,
  identities: readonly string[],
  ask: (commands: ChainableCommander, keys: ReturnType<typeof threadKeys>) => void,
): Promise<unknown[]> {
  if (identities.length === 0) return [];
  const commands = redis.pipeline();
  for (const identity of identities) ask(commands, threadKeys(identity));
  const answers = (await storeErrors(commands.exec())) ?? [];
  return storeErrors(Promise.all(answers.map(([error, value]) => (error ? Promise.reject(error) : value))));
}

export interface StepRequested {
  readonly identity: string;
  readonly attempt: string;
  /** Forget what an earlier attempt left: the function answers from what it finds. */
  readonly startAnew: boolean;
}

// KEYS: requested, record, index, values. ARGV: attempt, patience in ms, time, "anew" or "", prefix of checkpoint keys.
// A repeated request is of the same attempt: it has waited since the first.
const CLAIM = `${FORGET}
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') then return 0 end
if ARGV[4] == 'anew' then forget(KEYS[2], KEYS[3], KEYS[4], ARGV[5]) end
if redis.call('HGET', KEYS[2], 'attempt') ~= ARGV[1] then redis.call('HSET', KEYS[2], 'attempt', ARGV[1], 'requestedAt', ARGV[3]) end
return 1
`;

/**
 * Claims the right to send the requests of these steps, of the workload whose uid is given: what is kept of its steps is found by
 * it. A claim holds for `patienceMs`; then, if nobody holds the step, it is requested again. All go out together: two round trips
 * and two fsyncs, however many.
 * @returns those that nobody else has a request of on its way. @throws RetryableError StoreUnavailable
 */
export async function claimRequests<T extends StepRequested>(
  redis: Redis,
  uid: string,
  requests: readonly T[],
  { patienceMs, now }: { readonly patienceMs: number; readonly now: Date },
): Promise<T[]> {
  if (requests.length === 0) return [];
  await storeErrors(redis.sadd(workloadKey(uid), ...requests.map(({ identity }) => identity)));
  const claimed = await Promise.all(
    requests.map(({ identity, attempt, startAnew }) => {
      const keys = threadKeys(identity);
      return runScript(
        redis,
        CLAIM,
        [keys.requested, keys.record, keys.index, keys.values],
        [attempt, String(patienceMs), now.toISOString(), startAnew ? "anew" : "", keys.checkpoint("")],
      );
    }),
  );
  return requests.filter((_, at) => claimed[at] === 1);
}

/** The request did not leave: the next look requests it at once. */
export async function withdrawRequest(redis: Redis, identity: string): Promise<void> {
  await storeErrors(redis.unlink(threadKeys(identity).requested));
}

/** The request came back as a dead letter: said of the step, and not requested again before `pauseMs`. */
export async function markUndeliverable(redis: Redis, identity: string, why: string, pauseMs: number): Promise<void> {
  const keys = threadKeys(identity);
  await storeErrors(redis.hset(keys.record, "undeliverable", why));
  await storeErrors(redis.set(keys.requested, "undeliverable", "PX", pauseMs));
}

/** Drops whatever is kept of a workload's steps: records, checkpoints, leases. */
export async function dropSteps(redis: Redis, uid: string): Promise<void> {
  const identities = await storeErrors(redis.smembers(workloadKey(uid)));
  for (const identity of identities) {
    const keys = threadKeys(identity);
    await forgetStep(redis, identity);
    await storeErrors(redis.unlink(keys.requested, keys.lease, keys.fence));
  }
  await storeErrors(redis.unlink(workloadKey(uid)));
}
