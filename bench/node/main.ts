/**
 * Everything on one node of 8 GiB, of which 6.4 GiB can be used: the test cluster is started inside a memory cgroup of that size (its parts are
 * those of k3s: the same upstream programs, not k3s itself), the product deployed, and fifty pages run to their report. Says what each part takes,
 * idle and at most, and whether the kernel had to kill. Linux with cgroup v1 or v2, root. A cluster that is up is ended first.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { memoryMB } from "../../test/cluster/processes.ts";
import { deployToTestCluster } from "../../test/cluster/product/deploy.ts";
import { run } from "../../test/cluster/run.ts";
import { freshNamespace } from "../../test/kubernetes/workload.ts";
import { removeRun, runFifty } from "../chaos/run.ts";
import { untilZero } from "../cluster/agents.ts";
import { type Figure, report } from "../harness.ts";
import { pidsByPart } from "../parts.ts";

const NAMESPACE = "bench-node";
const LIMIT_GIB = 6.4;
const V1 = "/sys/fs/cgroup/memory/agentic";
const V2 = "/sys/fs/cgroup/agentic";
const isV1 = existsSync("/sys/fs/cgroup/memory");
const cgroup = isV1 ? V1 : V2;
const CLUSTER = "test/cluster/main.ts";

const bytesIn = (file: string): number => Number(readFileSync(`${cgroup}/${file}`, "utf8"));
const field = (file: string, name: string): number =>
  Number(new RegExp(`^${name} (\\d+)`, "m").exec(readFileSync(`${cgroup}/${file}`, "utf8"))?.[1] ?? 0);
/** What cannot be taken back: without the page cache. */
const held = (): number => (isV1 ? field("memory.stat", "total_rss") : field("memory.stat", "anon")) / 2 ** 30;
const kills = (): number => (isV1 ? field("memory.oom_control", "oom_kill") : field("memory.events", "oom_kill"));

type Memory = Map<string, number>;

async function byPart(): Promise<Memory> {
  const found = await pidsByPart();
  return new Map([...found].map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + memoryMB(pid), 0)]));
}

await run(process.execPath, [CLUSTER, "down"]);
mkdirSync(cgroup, { recursive: true });
writeFileSync(`${cgroup}/${isV1 ? "memory.limit_in_bytes" : "memory.max"}`, String(Math.round(LIMIT_GIB * 2 ** 30)));
// What it starts is born in the cgroup, where the kubelet's pods are, too.
await run("sh", ["-c", `echo $$ >${cgroup}/cgroup.procs && exec "$0" "$@"`, process.execPath, CLUSTER, "up"]);
const figures: Figure[] = [];
try {
  const started = performance.now();
  await deployToTestCluster(console.log);
  const ready = (performance.now() - started) / 1000;
  await freshNamespace(NAMESPACE);
  await untilZero(NAMESPACE);
  const idle = await byPart();
  const idleHeld = held();
  const most: Memory = new Map(idle);
  let mostHeld = idleHeld;
  let isOver = false;
  const watching = (async () => {
    while (!isOver) {
      mostHeld = Math.max(mostHeld, held());
      for (const [name, mb] of await byPart()) most.set(name, Math.max(most.get(name) ?? 0, mb));
    }
  })();
  const fifty = await runFifty(NAMESPACE, "fifty", [][Symbol.iterator]());
  isOver = true;
  await watching;
  await removeRun(NAMESPACE, "fifty");
  const parts = [...most].toSorted(([, a], [, b]) => b - a);
  console.log(`fifty pages: ${fifty.phase} in ${fifty.seconds.toFixed(0)} s`);
  figures.push(
    { figure: "deploy to ready", value: ready, unit: "s" },
    { figure: "held by all, idle", value: idleHeld, unit: "GiB", goal: LIMIT_GIB },
    { figure: "held by all, at most during fifty pages", value: mostHeld, unit: "GiB", goal: LIMIT_GIB },
    { figure: "processes that the kernel killed for want of memory", value: kills(), unit: "processes", goal: 0 },
    { figure: "fifty pages, apply to report", value: fifty.seconds, unit: "s" },
    ...parts
      .filter(([, mb]) => mb >= 1)
      .flatMap(([name, mb]): Figure[] => [
        { figure: `${name}: idle`, value: idle.get(name) ?? 0, unit: "MB" },
        { figure: `${name}: at most`, value: mb, unit: "MB" },
      ]),
  );
  if (isV1)
    figures.push({
      figure: "with the page cache, at most",
      value: bytesIn("memory.max_usage_in_bytes") / 2 ** 30,
      unit: "GiB",
    });
} finally {
  // The limit goes with the cgroup.
  await run(process.execPath, [CLUSTER, "down"]);
  report("node", figures);
}
