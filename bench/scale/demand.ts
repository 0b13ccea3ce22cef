import { readFileSync } from "node:fs";
import { podProcesses } from "../../test/cluster/machine/cgroups.ts";
import { parts } from "../../test/cluster/parts/all.ts";
import { pidOf } from "../../test/cluster/processes.ts";
import { kubectl } from "../../test/kubernetes/cluster.ts";

/** Seconds of processor that each part has used since it started. */
export type Used = ReadonlyMap<string, number>;

/** USER_HZ of Linux. */
const TICKS = 100;

/** Of the cluster's own processes and of each Deployment's or Service's pods, by name. */
export async function usedByPart(): Promise<Used> {
  const used = new Map<string, number>();
  const add = (name: string, pids: readonly number[]) =>
    used.set(name, (used.get(name) ?? 0) + pids.reduce((sum, pid) => sum + secondsOf(pid), 0));
  for (const { name } of parts)
    add(
      name,
      [pidOf(name)].filter((pid) => pid !== undefined),
    );
  const { items } = JSON.parse(await kubectl(["get", "pods", "-A", "-o", "json"])) as {
    items: { metadata: { name: string; uid: string; labels?: Record<string, string> } }[];
  };
  for (const { metadata } of items) {
    const { "serving.knative.dev/service": service, app, "app.kubernetes.io/name": name } = metadata.labels ?? {};
    add(service ?? name ?? app ?? metadata.name, podProcesses(metadata.uid));
  }
  return used;
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

export interface Measured {
  readonly used: Used;
  readonly runs: number;
  readonly items: number;
}

export interface Demand {
  readonly name: string;
  /** Milliseconds of processor, for each item and for each run. */
  readonly itemMs: number;
  readonly runMs: number;
}

/** What each part does for an item and for a run, of two measurements with other proportions. Least that is possible: 0. Pure. */
export function demands(many: Measured, few: Measured): Demand[] {
  const names = [...many.used.keys()].filter((name) => few.used.has(name));
  return names.map((name) => {
    const [a, b] = [(many.used.get(name) ?? 0) * 1000, (few.used.get(name) ?? 0) * 1000];
    const determinant = many.items * few.runs - few.items * many.runs;
    const itemMs = Math.max(0, (a * few.runs - b * many.runs) / determinant);
    const runMs = Math.max(0, (b - itemMs * few.items) / few.runs);
    return { name, itemMs, runMs };
  });
}

export function difference(after: Used, before: Used): Used {
  return new Map([...after].map(([name, seconds]) => [name, Math.max(0, seconds - (before.get(name) ?? 0))]));
}
