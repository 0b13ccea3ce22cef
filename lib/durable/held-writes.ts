export type Argument = string | Buffer;

/** Stores writes, alone or along with something else. */
type Send = (writes: readonly Argument[]) => Promise<unknown>;

interface Held {
  readonly writes: Argument[];
  readonly settle: PromiseWithResolvers<void>;
}

/**
 * What nodes wrote, until it goes out: with the checkpoint that follows, in one command and one fsync, or at the end of this turn
 * of the event loop when none follows. Whoever wrote waits until it is stored.
 */
export class HeldWrites {
  readonly #held = new Map<string, Held>();

  /** @param checkpoint whose writes they are @param send stores them if no checkpoint takes them along; throws what it throws */
  hold(checkpoint: string, writes: readonly Argument[], send: Send): Promise<void> {
    const held = this.#held.get(checkpoint) ?? { writes: [], settle: Promise.withResolvers<void>() };
    held.writes.push(...writes);
    if (!this.#held.has(checkpoint)) {
      this.#held.set(checkpoint, held);
      setImmediate(() => {
        // What goes wrong is told to whoever wrote.
        if (this.#held.get(checkpoint) === held) this.takeAlong(checkpoint, send).catch(() => {});
      });
    }
    return held.settle.promise;
  }

  /** Runs `send` with what is held for that checkpoint; both stand or fall together. */
  async takeAlong(checkpoint: string, send: Send): Promise<void> {
    const held = this.#held.get(checkpoint);
    this.#held.delete(checkpoint);
    try {
      await send(held?.writes ?? []);
      held?.settle.resolve();
    } catch (error) {
      held?.settle.reject(error);
      throw error;
    }
  }
}
