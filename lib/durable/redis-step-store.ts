import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import { giveBackEventually, type RedisStart } from "./give-back.ts";
import { threadKeys } from "./keys.ts";
import { holderOf, leaseValue } from "./lease.ts";
import { runScript } from "./run-script.ts";
import { DROP, FORGET, START } from "./step-scripts.ts";
import { endOf, type Start, type StartRequest, type StepStore } from "./step-store.ts";

/** Steps on any Redis from 6.2 on, or Valkey, with the checkpoints of lib/durable/saver.ts. */
export class RedisStepStore implements StepStore {
  readonly #redis: Redis;

  constructor(redis: Redis) {
    this.#redis = redis;
  }

  async start(identity: string, request: StartRequest): Promise<Start> {
    const token = randomUUID();
    const start = { redis: this.#redis, identity, token, value: leaseValue(token, request.holder) };
    let askedAt = Date.now();
    let answer = await ask(start, request, "");
    if (answer.what === "held" && request.isDead?.(holderOf(answer.value))) {
      askedAt = Date.now();
      answer = await ask(start, request, answer.value);
    }
    if (answer.what === "held") return { heldBy: holderOf(answer.value) };
    if (answer.what === "dropped") return { dropped: true };
    if (answer.what === "ended") return { ended: answer.end };
    // Loaded by whoever does steps: LangGraph, which comes with it, is a sixth of what reconcile would load.
    const { RedisStartedStep } = await import("./redis-started-step.ts");
    return { started: new RedisStartedStep(start, answer, { ttlMs: request.leaseTtlMs, askedAt }) };
  }

  async forget(identities: readonly string[]): Promise<void> {
    await Promise.all(
      identities.map((identity) => {
        const { record, lease, index, values, checkpoint } = threadKeys(identity);
        return runScript(this.#redis, FORGET, [record, lease, index, values], [checkpoint("")]);
      }),
    );
  }

  async drop(identities: readonly string[], keepMs: number): Promise<void> {
    await Promise.all(
      identities.map((identity) => {
        const { record, requested, index, values, checkpoint } = threadKeys(identity);
        return runScript(this.#redis, DROP, [record, requested, index, values], [checkpoint(""), String(keepMs)]);
      }),
    );
  }
}

/** `takeOver`: the value of a dead holder's lease, or "". */
async function ask(start: RedisStart, { leaseTtlMs, now, lostResult = "" }: StartRequest, takeOver: string) {
  const { record, lease } = threadKeys(start.identity);
  const args = [start.token, start.value, String(leaseTtlMs), takeOver, now.toISOString(), lostResult];
  try {
    const [what, ...rest] = (await runScript(start.redis, START, [record, lease], args)) as (Buffer | number)[];
    if (String(what) === "held") return { what: "held", value: String(rest[0]) } as const;
    if (String(what) === "dropped") return { what: "dropped" } as const;
    if (String(what) === "ended") return { what: "ended", end: endOf(rest) } as const;
    const [startedBefore, failures = 0, crashes = 0] = rest.slice(0, 3).map(Number);
    const previous = String(rest[3]) || undefined;
    return { what: "started", startedBefore: startedBefore === 1, failures, crashes, previous } as const;
  } catch (error) {
    // It may have started all the same, and only the answer is lost.
    giveBackEventually(start);
    throw error;
  }
}
