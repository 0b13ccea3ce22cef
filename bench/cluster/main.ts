/**
 * What a cluster adds to a run: steps of one second that do nothing else, from `kubectl apply` to the gate and from the decision to
 * the report, warm and from zero, at 10 to 500 sites. On the test cluster (`make cluster deploy` first), with agents of its own in a
 * namespace of its own.
 */
import { bin, kubeconfig } from "../../test/cluster/context.ts";
import { buildTestImages } from "../../test/cluster/images/build.ts";
import { deployToTestCluster } from "../../test/cluster/product/deploy.ts";
import { run } from "../../test/cluster/run.ts";
import { apply, ask, kubectl, until } from "../../test/kubernetes/cluster.ts";
import { wipeRedis } from "../../test/kubernetes/verification/faults.ts";
import { decide, example, freshNamespace, SYSTEM, untilPhase } from "../../test/kubernetes/workload.ts";
import { type Figure, median, report } from "../harness.ts";
import { deployWaitingAgents, quietInstalled, setMinScale, untilZero } from "./agents.ts";
import { watchRun } from "./watch.ts";

const NAMESPACE = "bench";
const STEP_S = 1;
const AT_ONCE = 50;

const inbox = { namespace: SYSTEM, name: "inbox" };
/** Every event of the Broker, counted. */
const everything = {
  apiVersion: "eventing.knative.dev/v1",
  kind: "Trigger",
  metadata: { namespace: SYSTEM, name: "bench" },
  spec: { broker: "default", subscriber: { ref: { apiVersion: "v1", kind: "Service", ...inbox } } },
};

/** Requests that the API server has answered on the two kinds, by anybody. */
async function apiCalls(): Promise<number> {
  const metrics = await run(bin("kubectl"), ["--kubeconfig", kubeconfig, "get", "--raw", "/metrics"]);
  return metrics
    .split("\n")
    .filter(
      (line) =>
        /^apiserver_request_total\{.*resource="(agentworkloads|workflows)"/.test(line) && !/verb="WATCH"/.test(line),
    )
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

interface Goals {
  readonly first: number;
  readonly gate: number;
  readonly report: number;
}

/** What one run showed: seconds, and counts a site. */
interface Run {
  readonly first: number;
  readonly gate: number;
  readonly report: number;
  /** From the first site that is analyzed to the gate. */
  readonly analysis: number;
  readonly calls: number;
  readonly writes: number;
  readonly kib: number;
}

async function runOnce(sites: number, how: "warm" | "from zero", onAnalysis?: () => Promise<void>): Promise<Run> {
  const name = `bench-${sites}`;
  if (how === "from zero") await untilZero(NAMESPACE);
  const { seen, stop } = await watchRun(kubeconfig, NAMESPACE);
  const calls = await apiCalls();
  const replicas = Math.min(sites, AT_ONCE);
  const urls = Array.from({ length: sites }, (_, index) => `http://site-${index}.example/${Date.now()}`);
  const applied = performance.now();
  await apply(example(NAMESPACE, name, { sites: urls, replicas }));
  if (onAnalysis) {
    await until("the first analysis", async () => seen.analyzeRunning !== undefined, { every: 20 });
    await onAnalysis();
  }
  await untilPhase(NAMESPACE, name, "AwaitingReview", { ms: 600_000 });
  const callsToGate = (await apiCalls()) - calls;
  if (how === "from zero") await untilZero(NAMESPACE);
  const decided = performance.now();
  await decide(NAMESPACE, name, "approved");
  await until("the report's node", async () => seen.reportRunning !== undefined);
  await untilPhase(NAMESPACE, name, "Succeeded");
  stop();
  await kubectl(["-n", NAMESPACE, "delete", "agentworkload", name, "--timeout=120s"]);
  const ideal = Math.ceil(sites / replicas) * 2 * STEP_S;
  const seconds = (at: number | undefined, from: number) => ((at ?? Number.NaN) - from) / 1000;
  return {
    first: seconds(seen.firstStep, applied),
    gate: seconds(seen.awaitingReview, applied) - ideal,
    report: seconds(seen.reportRunning, decided),
    analysis: seconds(seen.awaitingReview, applied) - seconds(seen.analyzeRunning, applied),
    calls: callsToGate / sites,
    writes: seen.workflowWrites / sites,
    kib: seen.workflowBytes / 1024,
  };
}

/** The median of `times` runs, figure by figure. */
async function measure(sites: number, how: "warm" | "from zero", times: number, goals?: Goals): Promise<Figure[]> {
  const runs: Run[] = [];
  for (let time = 0; time < times; time++) {
    runs.push(await runOnce(sites, how));
    console.log(`${sites} sites, ${how}:`, runs.at(-1));
  }
  const of = (figure: string, key: keyof Run, unit: string, goal?: number): Figure => ({
    figure: `${sites} sites, ${how}: ${figure}`,
    value: median(runs.map((run) => run[key])),
    unit,
    ...(goal === undefined ? {} : { goal }),
  });
  return [
    of("apply to first step running", "first", "s", goals?.first),
    of("apply to AwaitingReview, over the ideal", "gate", "s", goals?.gate),
    of("decision to report running", "report", "s", goals?.report),
    of("API calls a site, to the gate", "calls", "calls"),
    of("Workflow writes a site", "writes", "writes"),
    of("Workflow object", "kib", "KiB", sites === 500 ? 1024 : undefined),
  ];
}

/** From a wipe of Redis, as the first site is analyzed, to the gate; beside runs with their Redis. */
async function wipes(sites: number, times: number): Promise<Figure[]> {
  const [wiped, kept]: [number[], number[]] = [[], []];
  for (let time = 0; time < times; time++) {
    wiped.push((await runOnce(sites, "warm", wipeRedis)).analysis);
    kept.push((await runOnce(sites, "warm")).analysis);
    console.log(`${sites} sites, Redis wiped:`, wiped.at(-1), "kept:", kept.at(-1));
  }
  const of = (how: string, all: readonly number[]): Figure => ({
    figure: `${sites} sites, warm: first analysis to AwaitingReview, Redis ${how}`,
    value: median(all),
    unit: "s",
  });
  return [of("wiped then", wiped), of("kept", kept)];
}

/** In a run of its own: whoever counts takes every event too. */
async function eventsASite(sites: number): Promise<Figure[]> {
  await apply(everything);
  await kubectl(["-n", SYSTEM, "wait", "trigger", everything.metadata.name, "--for=condition=Ready", "--timeout=60s"]);
  await ask(inbox, "/events", { method: "DELETE" });
  await runOnce(sites, "warm");
  const events = JSON.parse((await ask(inbox, "/events")).body).length;
  await kubectl(["-n", SYSTEM, "delete", "trigger", everything.metadata.name]);
  return [{ figure: `${sites} sites, warm: events a site`, value: events / sites, unit: "events" }];
}

async function memory(when: string): Promise<Figure[]> {
  const table = await run(process.execPath, ["test/cluster/main.ts", "status"]);
  console.log(`\nmemory, ${when}\n${table}`);
  const total = /([\d.]+) MB of memory/.exec(table)?.[1];
  return [{ figure: `everything on the node, ${when}`, value: Number(total) / 1024, unit: "GiB", goal: 6.4 }];
}

const figures: Figure[] = [];
const { support } = await buildTestImages(["support"]);
await freshNamespace(NAMESPACE);
try {
  await quietInstalled();
  await deployWaitingAgents(NAMESPACE, support, STEP_S * 1000);
  await setMinScale(NAMESPACE, 1);
  // The first run warms what a process does slower the first time.
  await runOnce(10, "warm");
  for (const sites of [10, 50]) figures.push(...(await measure(sites, "warm", 5, { first: 1, gate: 2, report: 1 })));
  for (const sites of [10, 50]) figures.push(...(await eventsASite(sites)));
  figures.push(...(await wipes(50, 3)));
  for (const sites of [200, 500]) figures.push(...(await measure(sites, "warm", 1)));
  figures.push(...(await memory("after 500 sites, functions up")));
  await setMinScale(NAMESPACE, 0);
  for (const sites of [10, 50])
    figures.push(...(await measure(sites, "from zero", 3, { first: 2, gate: 5, report: 3 })));
  await untilZero(NAMESPACE);
  figures.push(...(await memory("idle, no function")));
} finally {
  await kubectl(["-n", SYSTEM, "delete", "trigger", everything.metadata.name, "--ignore-not-found"]);
  await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
  await deployToTestCluster(console.log);
  // What was measured counts, even if the rest could not be.
  report("cluster", figures);
}
