import type { BaseCheckpointSaver } from "@langchain/langgraph-checkpoint";
import pLimit from "p-limit";
import type { Start, StartedStep, StartRequest, StepEnd, StepStore } from "./step-store.ts";

/** Upstream deletes a thread by four scans of all keys, which block the server. */
const DELETES_AT_ONCE = 4;

/** Checkpoints by a saver that knows nothing of steps. It deletes a thread by itself, so each step's is deleted when the step ends. */
export class StackStepStore implements StepStore {
  readonly #records: StepStore;
  readonly #saver: BaseCheckpointSaver;
  readonly #deleting = pLimit(DELETES_AT_ONCE);

  /** @param records keeps everything but the checkpoints */
  constructor(records: StepStore, saver: BaseCheckpointSaver) {
    this.#records = records;
    this.#saver = saver;
  }

  async start(identity: string, request: StartRequest): Promise<Start> {
    const start = await this.#records.start(identity, request);
    if (!("started" in start)) return start;
    // A process that died while it finished the step may have left its thread behind.
    if (request.lostResult !== undefined) await this.#deleteThread(identity);
    return { started: this.#withSaver(identity, start.started) };
  }

  async forget(identities: readonly string[]): Promise<void> {
    // Threads first: a record without checkpoints starts anew, a thread without a record would be taken for a new one.
    await Promise.all(identities.map((identity) => this.#deleteThread(identity)));
    await this.#records.forget(identities);
  }

  async drop(identities: readonly string[], keepMs: number): Promise<void> {
    // Records first: from then on no start can make a new thread.
    await this.#records.drop(identities, keepMs);
    await Promise.all(identities.map((identity) => this.#deleteThread(identity)));
  }

  #withSaver(identity: string, started: StartedStep): StartedStep {
    const { token, previous, startedBefore, failures, crashes, lost } = started;
    return {
      token,
      previous,
      startedBefore,
      failures,
      crashes,
      lost,
      checkpointer: this.#saver,
      countFailure: (retryLimit) => started.countFailure(retryLimit),
      release: () => started.release(),
      finish: async (end: StepEnd, keepMs: number) => {
        const stands = await started.finish(end, keepMs);
        await this.#deleteThread(identity);
        return stands;
      },
    };
  }

  #deleteThread(identity: string): Promise<void> {
    return this.#deleting(() => this.#saver.deleteThread(identity));
  }
}
