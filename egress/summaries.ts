/** How long a job without a connection is waited for: a page closes one, and opens the next. */
const QUIET_MS = 10_000;

export interface Summaries {
  /** The job has no connection any more. */
  begin(job: string): void;
  /** It asks for something again. */
  delay(job: string): void;
  /** Says those that are waited for. */
  end(): void;
}

/** Says once of each job what it did, when it has been quiet for a while. */
export function createSummaries(say: (job: string) => void, quietMs = QUIET_MS): Summaries {
  const waiting = new Map<string, NodeJS.Timeout>();
  const delay = (job: string): void => {
    clearTimeout(waiting.get(job));
    waiting.delete(job);
  };
  return {
    begin(job) {
      delay(job);
      const timer = setTimeout(() => {
        waiting.delete(job);
        say(job);
      }, quietMs);
      waiting.set(job, timer.unref());
    },
    delay,
    end() {
      for (const job of waiting.keys()) {
        delay(job);
        say(job);
      }
    },
  };
}
