import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { ChainableCommander, Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { RetryableError } from "../errors.ts";
import { droppedKey, threadKeys, workloadKey } from "./keys.ts";
import { runScript } from "./run-script.ts";
import { RECORD_RESULT } from "./step-scripts.ts";
import { endOf, type StepEnd, type StepStore } from "./step-store.ts";

/** A step as whoever requests steps sees it. */
export interface StepState {
  readonly ended?: StepEnd;
  /** What it was last requested for: an attempt of a node in a Workflow. */
  readonly attempt?: string;
  /** When it was first requested for that attempt. */
  readonly requestedAt?: Date;
  /** A request is on its way, or was a moment ago. */
  readonly requested: boolean;
  /** An instance works on it. */
  readonly held: boolean;
  /** Why its last request came back as a dead letter; stale once it is held or has ended. */
  readonly undeliverable?: string;
}

type RecordFields = readonly (string | null)[];

/** Two round trips for any number of steps, in their order. @throws RetryableError StoreUnavailable */
export async function readStates(redis: Redis, identities: readonly string[]): Promise<StepState[]> {
  const records = (await pipelined(redis, identities, (commands, identity) => {
    const { record } = threadKeys(identity);
    commands.hmget(record, "outcome", "digest", "finishedAt", "attempt", "requestedAt", "undeliverable");
  })) as RecordFields[];
  // Most steps of a run have ended, and nobody works on these.
  const open = identities.filter((_, at) => !records[at]?.[1]);
  const marks = await pipelined(redis, open, (commands, identity) => {
    const { requested, lease } = threadKeys(identity);
    commands.exists(requested).exists(lease);
  });
  const marksOf = new Map(open.map((identity, at) => [identity, marks.slice(at * 2, at * 2 + 2)]));
  return identities.map((identity, at) => {
    const [requested, held] = marksOf.get(identity) ?? [];
    return { ...parseRecord(records[at] ?? []), requested: requested === 1, held: held === 1 };
  });
}

/** Whether an instance works on one of the workload's steps, those of earlier runs included, or is about to be asked to. */
export async function isWorkedOn(redis: Redis, uid: string): Promise<boolean> {
  const identities = await storeErrors(redis.smembers(workloadKey(uid)));
  return (await readStates(redis, identities)).some(({ requested, held }) => requested || held);
}

function parseRecord([
  outcome,
  digest,
  finishedAt,
  attempt,
  requestedAt,
  undeliverable,
]: RecordFields): Partial<StepState> {
  return {
    ...(digest ? { ended: endOf([outcome, digest, finishedAt]) } : {}),
    ...(attempt ? { attempt } : {}),
    ...(requestedAt ? { requestedAt: new Date(requestedAt) } : {}),
    ...(undeliverable ? { undeliverable } : {}),
  };
}

/** The commands of every step in one round trip. @returns their answers, in order */
async function pipelined<T>(
  redis: Redis,
  steps: readonly T[],
  add: (commands: ChainableCommander, step: T) => void,
): Promise<unknown[]> {
  if (steps.length === 0) return [];
  const commands = redis.pipeline();
  for (const step of steps) add(commands, step);
  const answers = (await storeErrors(commands.exec())) ?? [];
  return storeErrors(Promise.all(answers.map(([error, value]) => (error ? Promise.reject(error) : value))));
}

export interface StepRequested {
  readonly identity: string;
  readonly attempt: string;
  /** Forget what an earlier attempt left: the agent answers from what it finds. */
  readonly startAnew: boolean;
}

// KEYS: requested, record. ARGV: names this claim, patience in ms, attempt, time. May be sent twice, as all scripts.
// Returns when the attempt was first requested, or nil when a request is on its way or the workload is deleted.
const CLAIM = `
if redis.call('HEXISTS', KEYS[2], 'dropped') == 1 then return nil end
if not redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2], 'NX') and redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end
if redis.call('HGET', KEYS[2], 'attempt') == ARGV[3] then return redis.call('HGET', KEYS[2], 'requestedAt') end
redis.call('HSET', KEYS[2], 'attempt', ARGV[3], 'requestedAt', ARGV[4])
return ARGV[4]
`;

// KEYS: the workload's steps, its dropped steps. ARGV: identities. Returns 0 when the workload is deleted.
const ADD_STEPS = `
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('SADD', KEYS[1], unpack(ARGV))
return 1
`;

/**
 * Claims the right to send the requests of these steps, which belong to the workload `uid`. A claim holds for `patienceMs`; after that
 * the step is requested again unless somebody works on it. Two round trips and two fsyncs for any number of steps, and two more
 * when some start anew.
 * @returns those of which no other request is on its way; none when the workload is deleted. @throws RetryableError StoreUnavailable
 */
export async function claimRequests<T extends StepRequested>(
  redis: Redis,
  store: StepStore,
  uid: string,
  requests: readonly T[],
  { patienceMs, now }: { readonly patienceMs: number; readonly now: Date },
): Promise<T[]> {
  if (requests.length === 0) return [];
  const identities = requests.map(({ identity }) => identity);
  if ((await runScript(redis, ADD_STEPS, [workloadKey(uid), droppedKey(uid)], identities)) === 0) return [];
  const requestedAt = await Promise.all(
    requests.map(({ identity, attempt }) => {
      const { requested, record } = threadKeys(identity);
      const args = [randomUUID(), String(patienceMs), attempt, now.toISOString()];
      return runScript(redis, CLAIM, [requested, record], args);
    }),
  );
  const claimed = requests
    .map((request, at) => ({ request, since: requestedAt[at] }))
    .filter(({ since }) => since !== null);
  const anew = claimed.filter(({ request }) => request.startAnew);
  await store.forget(anew.map(({ request }) => request.identity));
  await pipelined(redis, anew, (commands, { request, since }) => {
    const { record } = threadKeys(request.identity);
    commands.hset(record, "attempt", request.attempt, "requestedAt", String(since));
  });
  return claimed.map(({ request }) => request);
}

/** The request did not leave: the next look requests it at once. */
export async function withdrawRequest(redis: Redis, identity: string): Promise<void> {
  await storeErrors(redis.unlink(threadKeys(identity).requested));
}

// KEYS: record, requested. ARGV: why, pause in ms.
const MARK_UNDELIVERABLE = `
if redis.call('HEXISTS', KEYS[1], 'attempt') == 0 then return 0 end
redis.call('HSET', KEYS[1], 'undeliverable', ARGV[1])
redis.call('SET', KEYS[2], 'undeliverable', 'PX', ARGV[2])
return 1
`;

/**
 * Notes that the request came back as a dead letter, and keeps the step from being requested again before `pauseMs`.
 * @returns false, and nothing is noted, when this step was never requested
 */
export async function markUndeliverable(
  redis: Redis,
  identity: string,
  why: string,
  pauseMs: number,
): Promise<boolean> {
  const { record, requested } = threadKeys(identity);
  return (await runScript(redis, MARK_UNDELIVERABLE, [record, requested], [why, String(pauseMs)])) === 1;
}

interface RecordedEnd extends Pick<StepEnd, "outcome" | "digest"> {
  readonly now: Date;
  /** How long the record is kept. */
  readonly keepMs: number;
}

/**
 * Records the end of a step whose agent keeps no records of its own.
 * @returns the end that stands: the first; "held" when an instance works on the step, whose answer counts then; "dropped" when the
 * workload is deleted
 */
export async function recordResult(
  redis: Redis,
  identity: string,
  end: RecordedEnd,
): Promise<StepEnd | "held" | "dropped"> {
  const { record, lease } = threadKeys(identity);
  const args = [end.outcome, end.digest, end.now.toISOString(), String(end.keepMs)];
  const stands = (await runScript(redis, RECORD_RESULT, [record, lease], args)) as Buffer[];
  const [what] = stands.map(String);
  return what === "held" || what === "dropped" ? what : endOf(stands);
}

// KEYS: the workload's steps, its dropped steps. ARGV: ms to keep the latter. None of these commands needs memory: a full store can be
// emptied.
const BURY = `
if redis.call('EXISTS', KEYS[1]) == 1 then redis.call('RENAME', KEYS[1], KEYS[2]) end
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return redis.call('SMEMBERS', KEYS[2])
`;

const POLL_MS = 100;

/**
 * Drops everything that is kept of a deleted workload's steps, and waits until nobody works on them. Until `keepMs` later no request of it
 * that is still on its way is claimed or started. May be asked for again.
 * @throws RetryableError StepsHeld when an instance has not stopped within `patienceMs`; StoreUnavailable
 */
export async function dropSteps(
  redis: Redis,
  store: StepStore,
  uid: string,
  { keepMs, patienceMs }: { readonly keepMs: number; readonly patienceMs: number },
): Promise<void> {
  const until = Date.now() + patienceMs;
  const members = await runScript(redis, BURY, [workloadKey(uid), droppedKey(uid)], [String(keepMs)]);
  const identities = (members as Buffer[]).map(String);
  await store.drop(identities, keepMs);
  for (;;) {
    const leases = await pipelined(redis, identities, (commands, identity) => {
      commands.exists(threadKeys(identity).lease);
    });
    const held = leases.filter((exists) => exists === 1).length;
    if (held === 0) return;
    if (Date.now() >= until)
      throw new RetryableError("StepsHeld", `${held} of the workload's steps are still being worked on`, {
        countsAsAttempt: false,
      });
    await sleep(POLL_MS);
  }
}
