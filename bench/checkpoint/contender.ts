import pLimit from "p-limit";

/** What main.ts asks a contender: so many runs of five steps, so many at once. The answer is the milliseconds a step. */
export interface Round {
  readonly runs: number;
  readonly concurrency: number;
}

export const STEPS = 5;

/** Serves rounds over the IPC channel of child_process.fork until the parent goes. `run` does five steps under an id of its own. */
export function serveRounds(run: (id: string) => Promise<unknown>): void {
  process.on("message", async ({ runs, concurrency }: Round) => {
    const limit = pLimit(concurrency);
    const began = performance.now();
    await Promise.all(Array.from({ length: runs }, () => limit(() => run(crypto.randomUUID()))));
    process.send?.((performance.now() - began) / (runs * STEPS));
  });
  process.on("disconnect", () => process.exit(0));
  process.send?.("ready");
}
