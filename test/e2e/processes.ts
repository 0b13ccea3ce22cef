import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Processes that name a folder in their command line, by pid. */
export function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((pid) => /^\d+$/.test(pid) && Number(pid) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(folder);
      } catch {
        return false;
      }
    })
    .map(Number);
}
/** What a killed command left on purpose: its redis-server, for the next one to use. */
export async function endServers(folder: string): Promise<void> {
  for (const pid of processesOf(folder)) process.kill(pid, "SIGKILL");
  while (processesOf(folder).length > 0) await sleep(20);
}
