import pLimit from "p-limit";
import { type RunFolder, type RunState, writeRunState } from "../run-folder.ts";

/** Keeps a run's state file up to date. */
export interface StateFile {
  /** Writes it within a second; changes in between are one write. */
  touch(): void;
  /** Writes it now. Later calls of touch write nothing when the state is the run's last. */
  write(over?: Partial<RunState>): Promise<RunState>;
}

const DELAY_MS = 1000;

/** `current`: the state as it is now. */
export function createStateFile(folder: RunFolder, current: () => Promise<RunState>): StateFile {
  // Gates that open at once would otherwise write at once.
  const inTurn = pLimit(1);
  let timer: NodeJS.Timeout | undefined;
  let isLast = false;
  const write = (over: Partial<RunState>): Promise<RunState> =>
    inTurn(async () => {
      const state = { ...(await current()), ...over };
      await writeRunState(folder, state);
      return state;
    });
  return {
    touch() {
      if (isLast) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        // The next write that somebody waits for reports the trouble.
        if (!isLast) write({}).catch(() => undefined);
      }, DELAY_MS).unref();
    },
    write(over = {}) {
      clearTimeout(timer);
      timer = undefined;
      isLast ||= over.phase !== undefined && over.phase !== "Running";
      return write(over);
    },
  };
}
