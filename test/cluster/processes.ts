import { spawn } from "node:child_process";
import { mkdirSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { home } from "./context.ts";
import { until } from "./wait.ts";

const pids = join(home, "pids");

export function logOf(name: string): string {
  return join(home, "logs", `${name}.log`);
}

/** When a process started: with it a pid names that process, not a later one that got its number. */
function startedAt(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? undefined : fields[18];
  } catch {
    return undefined;
  }
}

/** The pid of a part that we started, while that very process lives. */
export function pidOf(name: string): number | undefined {
  try {
    const [pid, started] = readFileSync(join(pids, name), "utf8").split(" ");
    return startedAt(Number(pid)) === started ? Number(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a part in a session of its own: it outlives us and our terminal. */
export function start(name: string, command: string, args: string[]): void {
  mkdirSync(pids, { recursive: true });
  mkdirSync(join(home, "logs"), { recursive: true });
  const log = openSync(logOf(name), "a");
  const child = spawn(command, args, { detached: true, stdio: ["ignore", log, log], cwd: home });
  child.on("error", () => {}); // no such command: it is not there at the first look
  if (child.pid !== undefined) writeFileSync(join(pids, name), `${child.pid} ${startedAt(child.pid)}`);
  child.unref();
}

/** Ends a part at once: what it would put in order is about to be removed. */
export async function end(name: string): Promise<void> {
  const pid = pidOf(name);
  if (pid !== undefined) process.kill(pid, "SIGKILL");
  await until(async () => pidOf(name) === undefined, 10, 20);
}

/** Every process whose command line one test accepts. */
export function processesWhere(test: (commandLine: string[]) => boolean): number[] {
  return readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => {
      try {
        return test(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0"));
      } catch {
        return false;
      }
    })
    .map(Number);
}

/**
 * The memory that a process takes, in MB: a page that several have in common, as the code of two of the same program, counts in
 * equal parts (proportional set size), so that the sum is what the machine gives.
 */
export function memoryMB(pid: number): number {
  try {
    const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return Number(found?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
