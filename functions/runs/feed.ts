import { setTimeout as sleep } from "node:timers/promises";
import type { Follow } from "../../lib/edges/kube-watch.ts";
import { RetryableError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { keyOf, readRun, type SeenRun } from "./run.ts";

/** Somebody who looks. */
export interface Viewer {
  /** By NAMESPACE/NAME, as they are now. */
  runs(): ReadonlyMap<string, SeenRun>;
  /** Since when the API server has not answered; undefined: the runs are those of this moment. */
  staleSince(): Date | undefined;
  close(): void;
}

/** All runs, as long as somebody looks: one list and one watch of the API server, however many look. */
export interface Feed {
  /** @param changed whenever a run has changed @throws what the first list throws */
  look(changed?: () => void): Promise<Viewer>;
}

export interface FeedTimes {
  /** How long the watch outlives the last viewer: a page is followed by its stream. */
  readonly lingerMs: number;
  /** Between two lists, at least; doubled with each failure in a row up to half a minute. */
  readonly pauseMs: number;
}

const TIMES: FeedTimes = { lingerMs: 10_000, pauseMs: 1000 };
const LONGEST_PAUSE_MS = 30_000;

export interface FeedDeps {
  readonly follow: Follow;
  readonly now: () => Date;
  readonly log: Logger;
  readonly draining: AbortSignal;
}

export function createFeed(deps: FeedDeps, times = TIMES): Feed {
  const viewers = new Set<() => void>();
  let current: ReturnType<typeof startRound> | undefined;
  let idle: NodeJS.Timeout | undefined;
  const stop = (): void => {
    current?.stop();
    current = undefined;
  };
  return {
    async look(changed = () => undefined) {
      clearTimeout(idle);
      // One and the same function may look twice.
      const told = () => changed();
      viewers.add(told);
      const close = (): void => {
        if (!viewers.delete(told) || viewers.size > 0) return;
        idle = setTimeout(stop, times.lingerMs).unref();
      };
      current ??= startRound(deps, times, () => {
        for (const tell of viewers) tell();
      });
      const { ready, runs, staleSince } = current;
      try {
        await ready();
      } catch (error) {
        close();
        throw error;
      }
      return { runs, staleSince, close };
    },
  };
}

/** Follows until it is stopped, again and again. */
function startRound({ follow, now, log, draining }: FeedDeps, { pauseMs }: FeedTimes, tell: () => void) {
  const stopped = new AbortController();
  const signal = AbortSignal.any([stopped.signal, draining]);
  let runs: Map<string, SeenRun> | undefined;
  let since: Date | undefined;
  let first = Promise.withResolvers<void>();
  // Nobody may be waiting for it.
  first.promise.catch(() => undefined);
  const follower = {
    read: readRun,
    listed(all: readonly SeenRun[]) {
      runs = new Map(all.map((run) => [keyOf(run.metadata), run]));
      since = undefined;
      first.resolve();
      tell();
    },
    changed(run: SeenRun) {
      runs?.set(keyOf(run.metadata), run);
      tell();
    },
    removed(ref: { namespace: string; name: string }) {
      runs?.delete(keyOf(ref));
      tell();
    },
  };
  const rounds = async (): Promise<void> => {
    for (let failures = 0; !signal.aborted; ) {
      const begun = now();
      try {
        await follow(follower, signal);
        failures = 0;
      } catch (error) {
        failures++;
        since ??= begun;
        log.warn({ err: error }, "runs not watched");
        first.reject(error);
        if (!runs) {
          first = Promise.withResolvers<void>();
          first.promise.catch(() => undefined);
        }
        tell();
      }
      const pause = Math.min(LONGEST_PAUSE_MS, pauseMs * 2 ** failures);
      await sleep(pause, undefined, { signal, ref: false }).catch(() => undefined);
    }
    first.reject(new RetryableError("Draining", "this process ends; try again"));
  };
  void rounds();
  return {
    stop: () => stopped.abort(),
    ready: () => first.promise,
    runs: (): ReadonlyMap<string, SeenRun> => runs ?? new Map(),
    staleSince: () => since,
  };
}
