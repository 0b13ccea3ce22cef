import { readdirSync } from "node:fs";
import { join } from "node:path";
import { kubectl } from "./kubectl.ts";
import { podProcesses } from "./machine/cgroups.ts";
import { parts } from "./parts/all.ts";
import { podLogs } from "./parts/kubelet.ts";
import { addons } from "./pods/addons.ts";
import { notReady } from "./pods/ready.ts";
import { logOf, memoryMB, pidOf } from "./processes.ts";

type Row = { part: string; state: string; where: string; mb: number; log: string };
type Pod = {
  metadata: { name: string; namespace: string; uid: string };
  status: { phase: string; containerStatuses?: { ready: boolean }[] };
};

/** Prints each part: whether it runs, where, its memory, its log. True: all is up. */
export async function status(): Promise<boolean> {
  const processes = parts.map(({ name }): Row => {
    const pid = pidOf(name);
    const mb = pid === undefined ? 0 : memoryMB(pid);
    return { part: name, state: pid === undefined ? "down" : "up", where: `pid ${pid ?? "-"}`, mb, log: logOf(name) };
  });
  const pods = await podRows().catch((): Row[] => []);
  const rows = [...processes, ...pods];
  for (const { part, state, where, mb, log } of rows) {
    console.log([state.padEnd(9), mb.toFixed(0).padStart(5), "MB ", part.padEnd(50), where.padEnd(12), log].join(" "));
  }
  const total = rows.reduce((sum, { mb }) => sum + mb, 0);
  const missing = await notReady(namespaces).catch(() => ["the API server"]);
  for (const name of missing) console.log(`not ready: ${name}`);
  const up = processes.every(({ state }) => state === "up") && missing.length === 0;
  console.log(`cluster: ${up ? "up" : "not all up"}, ${rows.length} parts, ${total.toFixed(0)} MB of memory`);
  return up;
}

const namespaces = addons.flatMap(({ waitFor }) => waitFor);

async function podRows(): Promise<Row[]> {
  const { items } = JSON.parse(await kubectl(["get", "pods", "-A", "-o", "json", "--request-timeout=5s"])) as {
    items: Pod[];
  };
  return items.map(({ metadata: { name, namespace, uid }, status: { phase, containerStatuses = [] } }) => {
    const pids = podProcesses(uid);
    const ready = phase === "Running" && containerStatuses.every((container) => container.ready);
    return {
      part: `${namespace}/${name}`,
      state: ready ? "up" : phase === "Running" ? "not ready" : phase.toLowerCase(),
      where: `${pids.length} procs`,
      mb: pids.reduce((sum, pid) => sum + memoryMB(pid), 0),
      log: logFolder(`${namespace}_${name}_${uid}`),
    };
  });
}

function logFolder(name: string): string {
  const found = readdirSync(podLogs).find((entry) => entry === name);
  return found ? join(podLogs, found) : "-";
}
