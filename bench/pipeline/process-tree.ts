import { readdirSync, readFileSync } from "node:fs";

/** Proportional memory of a process and all it started, in MB: shared pages count once (smaps_rollup, proc(5)). */
export const treeMemoryMb = (root: number): number => memoryMb(treeOf(root));

/** The same without the process itself. */
export const childrenMemoryMb = (root: number): number => memoryMb(treeOf(root).filter((pid) => pid !== root));

/** A process and all that it started, and these, as long as the one between is there. */
export function treeOf(root: number): number[] {
  const rows = processes();
  const members = new Set([root]);
  // Parents come before their children in most cases, not in all: again until nothing is added.
  for (let grew = true; grew; ) {
    grew = false;
    for (const { pid, parent } of rows) {
      if (members.has(parent) && !members.has(pid)) {
        members.add(pid);
        grew = true;
      }
    }
  }
  return [...members];
}

function processes(): { readonly pid: number; readonly parent: number }[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = readIfThere(`/proc/${name}/stat`);
      if (stat === undefined) return [];
      return [{ pid: Number(name), parent: Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]) }];
    });
}

/** The kernel walks a process's page tables for it: only of those that count. */
function memoryMb(pids: readonly number[]): number {
  const kb = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`) ?? "")?.[1] ?? 0));
  return kb.reduce((sum, one) => sum + one, 0) / 1024;
}

/** It may have ended meanwhile. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
