import { readFileSync } from "node:fs";
import { pidsByPart } from "../parts.ts";
import type { Used } from "./demand.ts";

/** USER_HZ of Linux. */
const TICKS = 100;

export async function usedByPart(): Promise<Used> {
  const found = await pidsByPart();
  return new Map([...found].map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + secondsOf(pid), 0)]));
}

function secondsOf(pid: number): number {
  try {
    // After the name, which may hold spaces: utime and stime are the 12th and 13th field.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return 0;
  }
}
