export type Argument = string | Buffer;

/** Stores writes, alone or together with something else. */
type Send = (writes: readonly Argument[]) => Promise<unknown>;

interface Batch {
  readonly writes: Argument[];
  readonly stored: PromiseWithResolvers<void>;
}

/**
 * Batches of pending writes, one a checkpoint. LangGraph stores what each node wrote, and right after the last node of a superstep
 * the next checkpoint. Sent one by one these would be several commands with an fsync each; a batch waits until the end of this turn
 * of the event loop, and travels in the checkpoint's command if that comes first. Each caller waits until its writes are stored.
 */
export class WriteBatches {
  readonly #batches = new Map<string, Batch>();

  /**
   * Adds writes to the checkpoint's batch.
   * @param send stores the batch when no checkpoint takes it along. @throws what stored the batch threw
   */
  add(checkpoint: string, writes: readonly Argument[], send: Send): Promise<void> {
    const batch = this.#batches.get(checkpoint) ?? { writes: [], stored: Promise.withResolvers<void>() };
    batch.writes.push(...writes);
    if (!this.#batches.has(checkpoint)) {
      this.#batches.set(checkpoint, batch);
      setImmediate(() => {
        // Whoever added a write gets the error.
        if (this.#batches.get(checkpoint) === batch) this.sendWith(checkpoint, send).catch(() => undefined);
      });
    }
    return batch.stored.promise;
  }

  /** Runs `send` with the checkpoint's batch, which may be empty; both are stored, or neither. */
  async sendWith(checkpoint: string, send: Send): Promise<void> {
    const batch = this.#batches.get(checkpoint);
    this.#batches.delete(checkpoint);
    try {
      await send(batch?.writes ?? []);
      batch?.stored.resolve();
    } catch (error) {
      batch?.stored.reject(error);
      throw error;
    }
  }
}
