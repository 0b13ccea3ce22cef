import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import { giveBack, giveBackEventually, type RedisStart } from "./give-back.ts";
import { threadKeys } from "./keys.ts";
import { renewLease } from "./lease.ts";
import { runScript } from "./run-script.ts";
import { RedisSaver } from "./saver.ts";
import { COUNT_FAILURE, FINISH, RENEW } from "./step-scripts.ts";
import { endOf, type StartedStep, type StepEnd } from "./step-store.ts";

export class RedisStartedStep implements StartedStep {
  readonly token: string;
  readonly previous: string | undefined;
  readonly startedBefore: boolean;
  readonly failures: number;
  readonly crashes: number;
  readonly checkpointer: BaseCheckpointSaver;
  readonly lost: AbortSignal;
  readonly #start: RedisStart;
  readonly #stopRenewing: () => void;
  #isGivenBack = false;

  constructor(
    start: RedisStart,
    before: Pick<StartedStep, "previous" | "startedBefore" | "failures" | "crashes">,
    { ttlMs, askedAt }: { readonly ttlMs: number; readonly askedAt: number },
  ) {
    this.#start = start;
    this.token = start.token;
    this.previous = before.previous;
    this.startedBefore = before.startedBefore;
    this.failures = before.failures;
    this.crashes = before.crashes;
    this.checkpointer = new RedisSaver(start.redis, start.token);
    const { record, lease } = threadKeys(start.identity);
    const renew = () => runScript(start.redis, RENEW, [record, lease], [start.token, String(ttlMs)]);
    const { lost, stop } = renewLease(renew, { ttlMs, askedAt });
    this.lost = lost;
    this.#stopRenewing = stop;
  }

  async countFailure(retryLimit: number): Promise<number> {
    const { redis, identity, token, value } = this.#start;
    const { record, lease } = threadKeys(identity);
    const count = Number(await runScript(redis, COUNT_FAILURE, [record, lease], [token, value, String(retryLimit)]));
    if (count <= retryLimit) this.#givenBack();
    return count;
  }

  async finish({ outcome, digest, finishedAt }: StepEnd, keepMs: number): Promise<StepEnd> {
    const { redis, identity, token, value } = this.#start;
    const { record, lease, index, values, checkpoint } = threadKeys(identity);
    const args = [token, value, outcome, digest, finishedAt.toISOString(), String(keepMs), checkpoint("")];
    const end = await runScript(redis, FINISH, [record, lease, index, values], args);
    this.#givenBack();
    return endOf(end as Buffer[]);
  }

  async release(): Promise<void> {
    if (this.#isGivenBack) return;
    this.#givenBack();
    await giveBack(this.#start).catch(() => giveBackEventually(this.#start));
  }

  #givenBack(): void {
    this.#isGivenBack = true;
    this.#stopRenewing();
  }
}
