import { readdirSync, readFileSync } from "node:fs";

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly kb: number;
}

/** Proportional memory of a process and all it started, in MB: shared pages count once (smaps_rollup, proc(5)). */
export function treeMemoryMb(root: number): number {
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
  return rows.filter(({ pid }) => members.has(pid)).reduce((sum, { kb }) => sum + kb, 0) / 1024;
}

function processes(): Row[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, "utf8");
        const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
        const kb = Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/smaps_rollup`, "utf8"))?.[1] ?? 0);
        return [{ pid: Number(name), parent, kb }];
      } catch {
        // Ended while it was read.
        return [];
      }
    });
}
