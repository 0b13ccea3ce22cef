import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits until a process answers there. @throws Error where it has ended before, or takes a minute */
export async function untilReady(child: ChildProcess, url: string, name: string): Promise<void> {
  for (let waited = 0; waited < 60_000 && child.exitCode === null; waited += 50) {
    const answered = await fetch(url).catch(() => undefined);
    if (answered?.ok) return;
    await sleep(50);
  }
  child.kill("SIGKILL");
  throw new Error(`${name} did not start: its last words are above`);
}
