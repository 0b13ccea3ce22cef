import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { imageCache } from "./cache.ts";

const path = join(imageCache, "lock");

/** One process at a time: two would build the same, and one would tidy away what the other builds on. */
export async function locked<T>(work: () => Promise<T>): Promise<T> {
  for (let told = false; !tryLock(); told = true) {
    if (!told) console.log(`image: process ${holder()} builds images; waiting for it …`);
    await sleep(500);
  }
  try {
    return await work();
  } finally {
    rmSync(path);
  }
}

function tryLock(): boolean {
  const pid = holder();
  if (pid !== undefined && !isAlive(pid)) rmSync(path, { force: true });
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function holder(): number | undefined {
  try {
    return Number(readFileSync(path, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
