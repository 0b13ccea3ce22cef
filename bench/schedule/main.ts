/**
 * How late an AgentSchedule's workload comes, and its first step, by the test cluster's own clock: while reconcile sleeps, at the resync's
 * minutes and between them, and while it is awake. Schedules of one time each, a minute apart. `make cluster deploy` first.
 */
import { workloadNameAt } from "../../crd/agentschedule.ts";
import { argoEngine } from "../../functions/reconcile/argo/engine.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";
import { kubeconfig } from "../../test/cluster/context.ts";
import { apply, kubectl, list } from "../../test/kubernetes/cluster.ts";
import { supportImage } from "../../test/kubernetes/tenant.ts";
import { freshNamespace, SYSTEM } from "../../test/kubernetes/workload.ts";
import { follow } from "../follow.ts";
import { type Figure, median, report } from "../harness.ts";

const NAMESPACE = "bench-schedule";
const MINUTE_MS = 60_000;
const ASLEEP = 4;
const AWAKE = 2;
/** What comes later than this did not come. */
const PATIENCE_MS = 90_000;

const objectOf = (kind: string, name: string, spec: object) => ({
  apiVersion: "agentic.dev/v1alpha1",
  kind,
  metadata: { namespace: NAMESPACE, name },
  spec,
});

/** A schedule that comes once: at this minute of this day. */
function scheduleAt(name: string, time: Date): object {
  const [minute, hour, day, month] = [
    time.getUTCMinutes(),
    time.getUTCHours(),
    time.getUTCDate(),
    time.getUTCMonth() + 1,
  ];
  const workloadTemplate = { spec: { pipeline: "bench" } };
  return objectOf("AgentSchedule", name, { schedule: `${minute} ${hour} ${day} ${month} *`, workloadTemplate });
}

/** When each workload, and its first running step, was first seen. */
async function watch() {
  const workloads = new Map<string, number>();
  const steps = new Map<string, number>();
  const note = (of: Map<string, number>, name: string): void => void (of.has(name) || of.set(name, Date.now()));
  const stops = await Promise.all([
    follow<KubeObject>(kubeconfig, `/apis/agentic.dev/v1alpha1/namespaces/${NAMESPACE}/agentworkloads`, (object) =>
      note(workloads, object.metadata.name),
    ),
    follow<KubeObject>(kubeconfig, `/apis/argoproj.io/v1alpha1/namespaces/${NAMESPACE}/workflows`, (object) => {
      const { nodes } = argoEngine.view({ ...object, metadata: { ...object.metadata, annotations: {} } });
      const workload = object.metadata.labels["agentic.dev/workload"] ?? "";
      if (nodes.some(({ step, phase }) => step === "look" && phase === "Running")) note(steps, workload);
    }),
  ]);
  return { workloads, steps, stop: () => stops.forEach((stop) => void stop()) };
}

const sleepUntil = (at: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, Math.max(0, at - Date.now())));

async function isAsleep(): Promise<boolean> {
  const pods = await list("pods", SYSTEM, "serving.knative.dev/service=reconcile");
  return pods.every(({ metadata }) => metadata.deletionTimestamp !== undefined);
}

/** Each event of a schedule keeps reconcile awake. @returns what ends it */
function keepAwake(): () => void {
  const timer = setInterval(() => {
    const annotations = { "bench/awake": String(Date.now()) };
    const body = JSON.stringify({ metadata: { annotations } });
    kubectl(["-n", NAMESPACE, "patch", "agentschedule", "at-0", "--type=merge", "-p", body]).catch(console.error);
  }, 5_000);
  return () => clearInterval(timer);
}

interface Sample {
  readonly when: string;
  readonly created: number;
  readonly step: number;
}

await freshNamespace(NAMESPACE);
const samples: Sample[] = [];
const seen = await watch();
try {
  await apply(
    objectOf("Agent", "bench", { image: await supportImage() }),
    objectOf("AgentPipeline", "bench", { steps: [{ name: "look", agent: "bench" }] }),
  );
  await kubectl(["-n", NAMESPACE, "wait", "agent/bench", "--for=condition=Ready", "--timeout=180s"]);
  // Until then what was made just now is done, and reconcile sleeps again.
  const first = Math.ceil(Date.now() / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
  const times = Array.from({ length: ASLEEP + AWAKE }, (_, at) => new Date(first + at * MINUTE_MS));
  await apply(...times.map((time, at) => scheduleAt(`at-${at}`, time)));
  const states: string[] = [];
  let rest = (): void => undefined;
  for (const [at, time] of times.entries()) {
    if (at === ASLEEP) rest = keepAwake();
    await sleepUntil(time.getTime() - 1_500);
    const minute = time.getUTCMinutes() % 2 === 0 ? "at the resync's minute" : "between two resyncs";
    states.push((await isAsleep()) ? `asleep, ${minute}` : "awake");
  }
  await sleepUntil(first + (times.length - 1) * MINUTE_MS + PATIENCE_MS);
  rest();
  for (const [at, time] of times.entries()) {
    const name = workloadNameAt(`at-${at}`, time);
    const late = (of: ReadonlyMap<string, number>) => ((of.get(name) ?? Number.NaN) - time.getTime()) / 1000;
    samples.push({ when: states[at] ?? "", created: late(seen.workloads), step: late(seen.steps) });
  }
  console.table(samples);
} finally {
  seen.stop();
  await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
}
const figures = [...Map.groupBy(samples, ({ when }) => when)].flatMap(([when, all]): Figure[] => [
  { figure: `${when}: time to workload`, value: median(all.map(({ created }) => created)), unit: "s", goal: 10 },
  { figure: `${when}: time to first step`, value: median(all.map(({ step }) => step)), unit: "s" },
]);
report("schedule", figures);
process.exit(0);
