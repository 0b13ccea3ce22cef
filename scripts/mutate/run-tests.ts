import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Copy } from "./copy.ts";

/** failed: `by` names the first test that did. broken: a test file did not load, so no guard was tested. */
export type Tested =
  | { readonly ended: "passed" }
  | { readonly ended: "failed"; readonly by: string }
  | { readonly ended: "broken"; readonly why: string };

/** A mutated loop may never end. */
const LONGEST_MS = 5 * 60_000;
/** Of one test: what hangs without its guard is found sooner. */
const TEST_TIMEOUT_MS = 45_000;
/** How long what was asked to end may take. */
const GRACE_MS = 3_000;

interface Report {
  readonly testResults: readonly {
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

export interface TestRunner {
  /** Runs vitest files in the copy until the first test fails. */
  run(files: readonly string[]): Promise<Tested>;
  /** Ends what runs, and all that it started; a run that is under way then never resolves. */
  stop(): Promise<void>;
}

export function createTestRunner({ folder, temporary }: Copy): TestRunner {
  const report = join(temporary, "report.json");
  let running: ChildProcess | undefined;
  let stopped = false;

  return {
    async stop() {
      stopped = true;
      if (running) await end(running);
    },
    async run(files) {
      rmSync(report, { force: true });
      const child = spawn(process.execPath, ["node_modules/vitest/vitest.mjs", ...options(report), ...files], {
        cwd: folder,
        env: { ...process.env, TMPDIR: temporary },
        stdio: "ignore",
        // A process group of its own: ended as one, with the servers that tests start.
        detached: true,
      });
      running = child;
      let overdue = false;
      const timer = setTimeout(() => {
        overdue = true;
        void end(child);
      }, LONGEST_MS);
      const [code] = (await once(child, "exit")) as [number | null];
      clearTimeout(timer);
      // Servers that outlived a test.
      signal(child.pid, "SIGKILL");
      // Whoever stopped it wants no next one.
      if (stopped) return new Promise(() => undefined);
      if (overdue) return { ended: "failed", by: `not over after ${LONGEST_MS / 60_000} minutes` };
      return code === 0 ? { ended: "passed" } : whatFailed(report);
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  signal(child.pid, "SIGTERM");
  const timer = setTimeout(() => signal(child.pid, "SIGKILL"), GRACE_MS);
  await ended;
  clearTimeout(timer);
  signal(child.pid, "SIGKILL");
}

function options(report: string): string[] {
  return [
    "run",
    "--project=unit",
    "--project=integration",
    "--bail=1",
    `--testTimeout=${TEST_TIMEOUT_MS}`,
    `--hookTimeout=${TEST_TIMEOUT_MS}`,
    "--reporter=json",
    `--outputFile=${report}`,
  ];
}

function whatFailed(report: string): Tested {
  let results: Report["testResults"];
  try {
    results = (JSON.parse(readFileSync(report, "utf8")) as Report).testResults;
  } catch {
    return { ended: "broken", why: "vitest left no report" };
  }
  const test = results.flatMap(({ assertionResults }) => assertionResults).find(({ status }) => status === "failed");
  if (test) return { ended: "failed", by: test.fullName };
  if (results.length === 0) return { ended: "broken", why: "there is no such test file" };
  const file = results.find(({ status }) => status === "failed");
  if (file) return { ended: "broken", why: file.message.split("\n")[0] ?? "" };
  return { ended: "failed", by: "an error that no test caught" };
}

/** To a process and all of its group. */
function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(-pid, name);
  } catch {
    // Nobody is left.
  }
}
