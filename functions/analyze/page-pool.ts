import { type ChildProcess, fork } from "node:child_process";
import pLimit from "p-limit";
import { unlessAborted } from "../../lib/unless-aborted.ts";
import { askProcess, type PageLimits } from "./ask-process.ts";
import type { PageQuestion, PageWork } from "./page-process.ts";

/** Reads pages in processes of their own: a page that is slow or large fails its own item, and holds up no other. */
export interface PagePool {
  /** Does a piece of the work in page-process.ts. Ends as soon as the signal aborts, and its process with it. @throws as askProcess */
  run<W extends keyof PageWork>(
    work: W,
    args: Parameters<PageWork[W]>,
    signal: AbortSignal,
  ): Promise<ReturnType<PageWork[W]>>;
}

/** docs/adr/0035 says where the figures come from. */
export const PAGE_LIMITS: PageLimits = { timeoutMs: 10_000, heapMb: 128 };
/** At a time. Full, they take 220 MB each of the 768 that the function's pod has. */
const PROCESSES = 2;
/** How long a process without work is kept. */
const IDLE_MS = 10_000;
/** scripts/build.ts puts it beside the bundle. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./page-process.ts" : "./page-process.js", import.meta.url);

/** Starts a process when there is work, and none before. */
export function createPagePool(limits: PageLimits = PAGE_LIMITS, idleMs: number = IDLE_MS): PagePool {
  const turn = pLimit(PROCESSES);
  const idle = new Map<ChildProcess, NodeJS.Timeout>();
  const forget = (child: ChildProcess): void => {
    clearTimeout(idle.get(child));
    idle.delete(child);
  };

  function takeProcess(): ChildProcess {
    const [child] = idle.keys();
    if (!child) return startProcess(limits, forget);
    forget(child);
    child.ref();
    child.channel?.ref();
    return child;
  }

  function putIdle(child: ChildProcess): void {
    idle.set(child, setTimeout(() => child.kill("SIGKILL"), idleMs).unref());
    // Without work it is no reason to keep this process.
    child.unref();
    child.channel?.unref();
  }

  async function work(question: PageQuestion, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted();
    const child = takeProcess();
    try {
      const result = await askProcess(child, question, limits, signal);
      putIdle(child);
      return result;
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  return {
    run<W extends keyof PageWork>(name: W, args: Parameters<PageWork[W]>, signal: AbortSignal) {
      const done = turn(() => work({ work: name, args }, signal));
      // What waits for its turn need not wait for others to end.
      return unlessAborted(done, signal) as Promise<ReturnType<PageWork[W]>>;
    },
  };
}

function startProcess({ timeoutMs, heapMb }: PageLimits, onExit: (child: ChildProcess) => void): ChildProcess {
  const child = fork(ENTRY, [String(2 * timeoutMs)], {
    // V8 doubles the young generation to 48 MB otherwise.
    execArgv: [`--max-old-space-size=${heapMb}`, "--max-semi-space-size=4"],
    // This one's holds the logins to the stores: no page's business.
    env: {},
    // V8 prints pages of figures when a heap is full.
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  return child.once("exit", () => onExit(child));
}
