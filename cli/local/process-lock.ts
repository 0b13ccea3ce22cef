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
 * Takes the folder for this process. A lock whose process is dead counts as free, so that a kill -9 leaves nothing to clean up.
 * @returns how to release it, or who holds it.
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
        // link(2) fails when the name exists: of two takers one wins, and the file is never seen half written.
        await link(draft, path);
        return { release: () => rm(path, { force: true }) };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      const holder = await readHolder(path);
      if (holder && (await isAlive(holder))) return { heldBy: holder };
      await buryDeadHolder(path, holder, now);
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Takes a dead process's lock away. Of two that found it dead, the slower must not take the faster one's fresh lock: who
 * removes the lock of this very holder is settled by a lock of its own.
 */
async function buryDeadHolder(path: string, dead: Holder | undefined, now: Date): Promise<void> {
  const grave = await lockFolder(`${path}.dead-${dead?.pid ?? "unknown"}-${dead?.ticks ?? ""}`, now);
  if ("heldBy" in grave) return sleep(10);
  try {
    const holder = await readHolder(path);
    if (holder?.pid === dead?.pid && holder?.ticks === dead?.ticks) await rm(path, { force: true });
  } finally {
    await grave.release();
  }
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return holderSchema.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    // Gone meanwhile, or not a lock of ours: nobody who could hold it.
    return undefined;
  }
}

/** On another host (a shared folder) a process cannot be looked at: it counts as alive. */
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
