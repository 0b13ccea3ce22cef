import type { ChainableCommander, Redis } from "ioredis";
import { storeErrors } from "../edges/redis.ts";
import { type StepResult, stepResultSchema } from "../step.ts";
import { threadKeys, workloadKey } from "./keys.ts";
import { forgetStep } from "./record.ts";

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

/** One round trip for any number of steps, in their order. @throws RetryableError StoreUnavailable */
export async function readStates(redis: Redis, identities: readonly string[]): Promise<StepState[]> {
  if (identities.length === 0) return [];
  const commands = redis.pipeline();
  for (const identity of identities) ask(commands, identity);
  const answers = (await storeErrors(commands.exec())) ?? [];
  const values = await storeErrors(
    Promise.all(answers.map(([error, value]) => (error ? Promise.reject(error) : value))),
  );
  return identities.map((_, index) => {
    const [fields, requested, held] = values.slice(index * 3, index * 3 + 3) as [(string | null)[], number, number];
    const [result, finishedAt, attempt, undeliverable, requestedAt] = fields;
    return {
      requested: requested === 1,
      held: held === 1,
      ...(result ? { result: stepResultSchema.parse(JSON.parse(result)) } : {}),
      ...(finishedAt ? { finishedAt: new Date(finishedAt) } : {}),
      ...(attempt ? { attempt } : {}),
      ...(requestedAt ? { requestedAt: new Date(requestedAt) } : {}),
      ...(undeliverable ? { undeliverable } : {}),
    };
  });
}

function ask(commands: ChainableCommander, identity: string): void {
  const keys = threadKeys(identity);
  commands
    .hmget(keys.record, "result", "finishedAt", "attempt", "undeliverable", "requestedAt")
    .exists(keys.requested)
    .exists(keys.lease);
}

export interface StepRequested {
  readonly identity: string;
  /** The workload's uid: what is kept of its steps is found by it. */
  readonly uid: string;
  readonly attempt: string;
  readonly now: Date;
  /** Forget what an earlier attempt left: the function answers from what it finds. */
  readonly startAnew: boolean;
  /** How long the request is taken to be on its way: then, if nobody holds the step, it is requested again. */
  readonly patienceMs: number;
}

/** @returns false when another request is on its way */
export async function claimRequest(redis: Redis, request: StepRequested): Promise<boolean> {
  const keys = threadKeys(request.identity);
  await storeErrors(redis.sadd(workloadKey(request.uid), request.identity));
  const claimed = await storeErrors(redis.set(keys.requested, request.attempt, "PX", request.patienceMs, "NX"));
  if (!claimed) return false;
  if (request.startAnew) await forgetStep(redis, request.identity);
  const { attempt, now } = request;
  // A repeated request is of the same attempt: it has waited since the first.
  if ((await storeErrors(redis.hget(keys.record, "attempt"))) !== attempt)
    await storeErrors(redis.hset(keys.record, "attempt", attempt, "requestedAt", now.toISOString()));
  return true;
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
