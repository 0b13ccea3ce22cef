import { randomUUID } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";

const holderSchema = z.object({
  pid: z.int(),
  host: z.string(),
  /** The process's start, in clock ticks since boot (proc(5), stat field 22): tells a reused pid from its first owner. Empty where there is no /proc. */
  ticks: z.string(),
  since: z.iso.datetime(),
});
export type Holder = z.infer<typeof holderSchema>;

/**
 * Locks a folder for this process. A lock whose process is dead counts as free: after kill -9 there is nothing to clean up.
 * @returns how to release it, or who holds it
 */
export async function lockFolder(path: string, now: Date): Promise<{ release(): Promise<void> } | { heldBy: Holder }> {
  const mine: Holder = {
    pid: process.pid,
    host: hostname(),
    ticks: await startTicks(process.pid),
    since: now.toISOString(),
  };
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(mine));
  try {
    for (;;) {
      try {
        // link(2) fails when the name exists: of two processes one gets the lock, and nobody reads a file that is half written.
        await link(draft, path);
        return { release: () => rm(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = await readHolder(path);
      if (holder && (await isAlive(holder))) return { heldBy: holder };
      await removeDeadLock(path, holder, now);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Removes the lock of a dead process. Of two processes that found it dead, the slower must not remove the faster one's new lock: a
 * second lock, named after this holder, decides who removes it.
 */
async function removeDeadLock(path: string, dead: Holder | undefined, now: Date): Promise<void> {
  const removal = await lockFolder(`${path}.dead-${dead?.pid ?? "unknown"}-${dead?.ticks ?? ""}`, now);
  if ("heldBy" in removal) return sleep(10);
  try {
    const holder = await readHolder(path);
    if (holder?.pid === dead?.pid && holder?.ticks === dead?.ticks) await rm(path, { force: true });
  } finally {
    await removal.release();
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Released meanwhile, or no lock of ours: nobody holds it.
    return undefined;
  }
}

/** A process on another host (a shared folder) cannot be checked: it counts as alive. */
async function isAlive(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  return (await startTicks(holder.pid)) === holder.ticks;
}

async function startTicks(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8");
    // The command's name may hold spaces and parentheses: fields count from behind the last one.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
