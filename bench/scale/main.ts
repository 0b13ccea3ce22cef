/**
 * How far an installation grows: what each part does for an item and for a run is measured on the test cluster (`make cluster deploy` first), a
 * model of queues says from it how long 200 workloads take, they are run, and the model goes on to where no machine of ours goes. Its
 * agents wait a second and do nothing else: what agents, browsers and models take comes on top. `--from results/scale-demands.json` models alone.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { buildTestImages } from "../../test/cluster/images/build.ts";
import { deployToTestCluster } from "../../test/cluster/product/deploy.ts";
import { apply, kubectl, list, until } from "../../test/kubernetes/cluster.ts";
import { example, freshNamespace } from "../../test/kubernetes/workload.ts";
import { deployWaitingAgents, quietInstalled, setMinScale } from "../cluster/agents.ts";
import { type Figure, median, quantile, report } from "../harness.ts";
import { type Demand, demands, difference, type Measured } from "./demand.ts";
import { INSTALLATIONS, loadOf, type Model, stationsOf } from "./installations.ts";
import { simulate } from "./simulate.ts";
import { usedByPart } from "./used.ts";

const NAMESPACE = "bench-scale";
const STEP_MS = 1000;
const FILE = fileURLToPath(new URL("../results/scale-demands.json", import.meta.url));

interface Round extends Measured {
  readonly allMs: number;
  readonly gateMs: readonly number[];
}

/** `runs` workloads of `items` sites each, applied at once, until each waits at its gate. */
async function play(runs: number, items: number): Promise<Round> {
  const before = await usedByPart();
  const applied = Date.now();
  const workloads = Array.from({ length: runs }, (_, run) =>
    example(NAMESPACE, `scale-${runs}-${run}`, {
      sites: Array.from({ length: items }, (_, item) => `http://site-${item}.example/${applied}/${run}`),
      replicas: Math.min(items, 50),
    }),
  );
  for (let at = 0; at < runs; at += 25) await apply(...workloads.slice(at, at + 25));
  const gates = new Map<string, number>();
  await until(
    `${runs} gates`,
    async () => {
      for (const { metadata, status } of await list("agentworkloads", NAMESPACE)) {
        const phase = (status as { phase?: string } | undefined)?.phase;
        if (phase === "Failed") throw new Error(`${metadata.name} failed`);
        if (phase === "AwaitingReview" && !gates.has(metadata.name)) gates.set(metadata.name, Date.now() - applied);
      }
      return gates.size === runs;
    },
    { ms: 480_000, every: 500 },
  );
  const used = difference(await usedByPart(), before);
  await kubectl(["-n", NAMESPACE, "delete", "agentworkloads", "--all", "--timeout=240s"]);
  const gateMs = [...gates.values()].toSorted((a, b) => a - b);
  console.log(`${runs} workloads of ${items}: the last gate after ${(Math.max(...gateMs) / 1000).toFixed(1)} s`);
  return { used, runs, items: runs * items, allMs: Math.max(...gateMs), gateMs };
}

async function measure(): Promise<{ model: Model; real: Round }> {
  const { support } = await buildTestImages(["support"]);
  await freshNamespace(NAMESPACE);
  try {
    await quietInstalled();
    await deployWaitingAgents(NAMESPACE, support, STEP_MS);
    await setMinScale(NAMESPACE, 1);
    await play(5, 2);
    const few = await play(20, 2);
    const many = await play(4, 50);
    const single = await play(1, 50);
    const real = await play(200, 5);
    const cores = cpus().length;
    const found = demands(many, few).filter(({ itemMs, runMs }) => itemMs + runMs > 0.2);
    const stepsOfItem = 2;
    const cpuOfStep = found.reduce((sum, { itemMs }) => sum + itemMs, 0) / stepsOfItem / cores;
    // What one run alone takes over its steps' time and the processor's: its looks and writes, one after the other.
    const over = single.allMs - stepsOfItem * STEP_MS;
    const turnMs = Math.max(0, over / (50 * stepsOfItem) - cpuOfStep);
    return { model: { demands: found, turnMs, stepMs: STEP_MS, stepsOfItem, cores }, real };
  } finally {
    await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
    await deployToTestCluster(console.log);
  }
}

const { values } = parseArgs({ options: { from: { type: "string" } } });
const known = values.from === undefined ? undefined : JSON.parse(readFileSync(values.from, "utf8"));
const { model, real } = (known ?? (await measure())) as { model: Model; real: Pick<Round, "allMs" | "gateMs"> };
if (!known) {
  const { allMs, gateMs } = real;
  writeFileSync(
    FILE,
    `${JSON.stringify({ model, real: { allMs, gateMs: [median(gateMs), quantile(gateMs, 0.95)] } }, null, 2)}\n`,
  );
}

const figures: Figure[] = [];
const top = model.demands.toSorted((a: Demand, b: Demand) => b.itemMs - a.itemMs).slice(0, 12);
for (const { name, itemMs, runMs } of top) {
  figures.push({ figure: `${name}: processor for each item of two steps`, value: itemMs, unit: "ms" });
  figures.push({ figure: `${name}: processor for each run`, value: runMs, unit: "ms" });
}
const modelled = simulate(stationsOf(model, "one node"), loadOf(model, { runs: 200, itemsOfRun: 5 }));
const seconds = (ms: number): number => ms / 1000;
figures.push(
  { figure: "200 workloads of 5 items, all gates: measured", value: seconds(real.allMs), unit: "s" },
  { figure: "200 workloads of 5 items, all gates: modelled", value: seconds(modelled.allMs), unit: "s" },
  { figure: "modelled over measured", value: modelled.allMs / real.allMs, unit: "×" },
);
for (const name of Object.keys(INSTALLATIONS)) {
  const stations = stationsOf(model, name);
  // A minute of a day with a million items, in runs of fifty: whether it is kept up with.
  const aDay = simulate(stations, loadOf(model, { runs: 140, itemsOfRun: 50, everyMs: 4320 }));
  const burst = simulate(
    stations,
    loadOf(model, { runs: 10_000, itemsOfRun: 5, runsAtOnce: Number.POSITIVE_INFINITY }),
  );
  figures.push(
    { figure: `${name}: items a second, 10,000 workloads at once`, value: burst.itemsPerSecond, unit: "items/s" },
    { figure: `${name}: their last gate`, value: seconds(burst.allMs), unit: "s" },
    { figure: `${name}: busiest then (${burst.bottleneck})`, value: burst.busy[burst.bottleneck] ?? 0, unit: "share" },
    {
      figure: `${name}: 1,000,000 items a day in runs of 50, gate after (median)`,
      value: seconds(median(aDay.gateMs)),
      unit: "s",
    },
    { figure: `${name}: busiest then (${aDay.bottleneck})`, value: aDay.busy[aDay.bottleneck] ?? 0, unit: "share" },
  );
}
report("scale", figures);
