/**
 * Fifty real pages from apply to report on the test cluster (`make cluster deploy` first), while every part of it is killed at random.
 * Nothing that had ended may be done again, no model call be paid twice, no run be lost, and the report must be that of a calm run.
 * SEEDS: how many runs, each with a seed of its own (default 10); the kills go on for as long as a run does.
 */
import { kubectl } from "../../test/kubernetes/cluster.ts";
import {
  ACTIVATOR,
  ARGO,
  BROWSERLESS,
  DISPATCHER,
  drawStrikes,
  EGRESS,
  FILTER,
  INGRESS,
  killed,
  LITELLM,
  REDIS,
  SOURCE,
  STORE,
  service,
} from "../../test/kubernetes/verification/faults.ts";
import { freshNamespace } from "../../test/kubernetes/workload.ts";
import { type Figure, report } from "../harness.ts";
import { connectStore, differences, normalised } from "./report.ts";
import { type ChaosRun, removeRun, runFifty } from "./run.ts";

const NAMESPACE = "bench-chaos";
const SEEDS = Number(process.env["SEEDS"] ?? 10);
/** In one run, which has no end otherwise. */
const MOST_STRIKES = 2000;
/** Between two kills, in ms. With a mean of 2.5 s no part is back before the next one goes, and nothing goes on any more. */
const PAUSE = { min: 2000, max: 8000 };

const FAULTS = [
  ...["scrape", "analyze", "reconcile"].map((name) => killed(service(name), 3)),
  ...[service("report"), ARGO, DISPATCHER, INGRESS, FILTER, SOURCE, ACTIVATOR].map((part) => killed(part, 1)),
  ...[REDIS, STORE, EGRESS, BROWSERLESS, LITELLM].map((part) => killed(part, 1)),
];

const runs: ChaosRun[] = [];
const differing: string[] = [];
await freshNamespace(NAMESPACE);
const read = await connectStore();
const none = (): Iterator<never> => [][Symbol.iterator]();
try {
  const calm = await runFifty(NAMESPACE, "calm", none());
  console.log(`calm: ${calm.phase} in ${calm.seconds.toFixed(0)} s`);
  const expected = normalised(await read(calm.outputs["json"] ?? ""));
  await removeRun(NAMESPACE, "calm");
  // No page loads twice alike: what differs without any kill (timings, what a blocked font does to the colors) says nothing.
  const again = await runFifty(NAMESPACE, "calm-again", none());
  const noise = differences(expected, normalised(await read(again.outputs["json"] ?? "")));
  await removeRun(NAMESPACE, "calm-again");
  console.log(`two calm runs differ at ${[...noise].join(", ") || "nothing"}`);
  for (let seed = 1; seed <= SEEDS; seed++) {
    const name = `chaos-${seed}`;
    const one = await runFifty(
      NAMESPACE,
      name,
      drawStrikes(seed, FAULTS, { count: MOST_STRIKES, ...PAUSE })[Symbol.iterator](),
    );
    runs.push(one);
    console.log(
      `${name}: ${one.phase} in ${one.seconds.toFixed(0)} s, ${one.struck.length} kills, ${one.cutCalls} calls cut; pauses ${one.pauses.map((pause) => pause.toFixed(1)).join(" ")}`,
    );
    for (const what of [...one.repeated, ...one.callsTwice]) console.log(`${name}: again: ${what}`);
    const key = one.outputs["json"];
    const differs = key === undefined ? ["/"] : [...differences(expected, normalised(await read(key)))];
    const paths = differs.filter((path) => !noise.has(path));
    if (paths.length > 0) differing.push(name);
    for (const path of paths) console.log(`${name}: the report differs at ${path}`);
    await removeRun(NAMESPACE, name);
    // What is known so far stands, if somebody ends it.
    report("chaos", figuresOf(calm));
  }
  const counts = Map.groupBy(
    runs.flatMap(({ struck }) => struck),
    (name) => name,
  );
  console.table([...counts].map(([fault, all]) => ({ fault, struck: all.length })));
} finally {
  await kubectl(["delete", "namespace", NAMESPACE, "--wait=false"]);
}

function figuresOf(calm: ChaosRun): Figure[] {
  const pauses = runs.flatMap((run) => run.pauses).toSorted((a, b) => a - b);
  const at = (share: number): number => pauses[Math.ceil(pauses.length * share) - 1] ?? Number.NaN;
  const total = (of: (run: ChaosRun) => number): number => runs.reduce((sum, run) => sum + of(run), 0);
  const count = (figure: string, value: number): Figure => ({ figure, value, unit: "", goal: 0 });
  return [
    { figure: "runs, each of a seed of its own", value: runs.length, unit: "" },
    { figure: "kills", value: total(({ struck }) => struck.length), unit: "" },
    { figure: "a calm run", value: calm.seconds, unit: "s" },
    { figure: "a run under kills, mean", value: total(({ seconds }) => seconds) / runs.length, unit: "s" },
    count(
      "runs lost",
      total(({ phase }) => (phase === "Succeeded" ? 0 : 1)),
    ),
    count(
      "finished nodes repeated",
      total(({ repeated }) => repeated.length),
    ),
    count(
      "model calls paid twice",
      total(({ callsTwice }) => callsTwice.length),
    ),
    {
      figure: "model calls whose answer was on the wire at a kill",
      value: total(({ cutCalls }) => cutCalls),
      unit: "",
    },
    count("reports that differ from that of a calm run", differing.length),
    { figure: "from a kill until work goes on, p50", value: at(0.5), unit: "s", goal: 5 },
    { figure: "from a kill until work goes on, p99", value: at(0.99), unit: "s", goal: 5 },
  ];
}
