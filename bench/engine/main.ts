/** One look at a run of ten steps: walk() and the digest of a gate's findings, over 10, 100 and 500 items, half and all of it ended. */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { pipelineSpecSchema } from "../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { findingsOf } from "../../engine/findings.ts";
import { type OutcomeTable, type StepOutcome, setOutcome } from "../../engine/outcomes.ts";
import { outputStep } from "../../engine/pipeline.ts";
import { NO_USAGE } from "../../engine/result.ts";
import { type Run, runOf } from "../../engine/run.ts";
import { walk } from "../../engine/walk.ts";
import { median, report } from "../harness.ts";

const ITEMS = [10, 100, 500];
const LOOKS = 50;

const list = "inputs.pages";
/** Two fan-outs with a diamond and a chain, two gates, single steps: ten in all. */
const { steps, output } = pipelineSpecSchema.parse({
  inputs: { schema: { type: "object", properties: { pages: { type: "array" } } } },
  steps: [
    { name: "fetch", agent: "worker", forEach: list },
    { name: "text", agent: "worker", forEach: list, after: ["fetch"] },
    { name: "pictures", agent: "worker", forEach: list, after: ["fetch"] },
    { name: "check", agent: "worker", forEach: list, after: ["text", "pictures"] },
    { name: "summary", agent: "worker", after: ["check"] },
    { name: "first-review", after: ["check", "summary"], gate: {} },
    { name: "improve", agent: "worker", forEach: list, after: ["check", "first-review"] },
    { name: "rate", agent: "worker", forEach: list, after: ["improve"] },
    { name: "last-review", after: ["rate"], gate: { show: ["check", "rate", "summary"] } },
    { name: "report", agent: "worker", after: ["last-review"] },
  ],
});

const FIRST = new Set(["fetch", "improve"]);

function runOver(items: number): Run {
  const pages = Array.from({ length: items }, (_, index) => `https://p${index}.example/`);
  return runOf(
    { namespace: "default", name: "bench", uid: "uid" },
    workloadSpecSchema.parse({ inputs: { pages }, tolerate: { failedItems: "100%" } }),
    {
      namespace: "default",
      name: "bench",
      steps,
      output: outputStep({ steps, ...(output === undefined ? {} : { output }) }),
      agents: { worker: { namespace: "default", name: "worker", revision: "1" } },
    },
  );
}

/** As agents leave it: a line, a little data, a summary. Each tenth item fails at the first step of both fan-outs. */
function outcome(step: string, index: number): StepOutcome {
  if (FIRST.has(step) && index % 10 === 9)
    return { outcome: "failed", reason: "Blocked", message: "no access", artifacts: {}, usage: NO_USAGE };
  const artifacts = { summary: `uid/${sha256(`${step} ${index}`)}.json` };
  return { outcome: "succeeded", output: `${step} done`, data: { score: index, ok: true }, artifacts, usage: NO_USAGE };
}

/** Those of the first steps up to `until`, by which half or all of them have ended. */
function outcomesUntil(run: Run, until: number): OutcomeTable {
  const table: OutcomeTable = new Map();
  const { pages } = run.inputs as { pages: string[] };
  for (const { name, forEach } of run.pipeline.steps.slice(0, until))
    if (forEach === undefined) setOutcome(table, name, undefined, outcome(name, 0));
    else
      for (const index of pages.keys())
        if (FIRST.has(name) || index % 10 !== 9) setOutcome(table, name, index, outcome(name, index));
  return table;
}

/** What reconcile computes at each look: how far the run is, and the digest of what an open gate shows. */
function look(run: Run, outcomes: OutcomeTable): void {
  walk(run, outcomes);
  const [first, last] = run.pipeline.steps.filter(({ gate }) => gate);
  const gate = outcomes.has("rate") ? last : first;
  if (gate) sha256(canonicalJson(findingsOf(run, gate, outcomes)));
}

/** @returns ms of processor time, the median of many looks: other work on the machine does not count */
function time(work: () => void): number {
  work();
  return median(
    Array.from({ length: LOOKS }, () => {
      const began = process.cpuUsage();
      work();
      const { user, system } = process.cpuUsage(began);
      return (user + system) / 1000;
    }),
  );
}

/** @returns MiB of the heap that a run and its outcomes take */
function memory(items: number): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const before = process.memoryUsage().heapUsed;
  const run = runOver(items);
  const outcomes = outcomesUntil(run, steps.length);
  const walked = walk(run, outcomes);
  collect();
  const after = process.memoryUsage().heapUsed;
  // Kept alive until here.
  if (!walked.end || outcomes.size !== steps.length) throw new Error("the run has not ended");
  return (after - before) / 2 ** 20;
}

const rows = ITEMS.map((items) => {
  const run = runOver(items);
  const [half, all] = [outcomesUntil(run, 5), outcomesUntil(run, steps.length)];
  return {
    items,
    walk: time(() => void walk(run, all)),
    half: time(() => look(run, half)),
    all: time(() => look(run, all)),
  };
});
const at = (items: number) => rows.find((row) => row.items === items) ?? { half: Number.NaN, all: Number.NaN };

report("engine", [
  ...rows.flatMap(({ items, walk: walking, half, all }) => {
    const goal = items === 500 ? { goal: 50 } : {};
    return [
      { figure: `${items} items, all ended: walk alone`, value: walking, unit: "ms" },
      { figure: `${items} items, half ended: one look`, value: half, unit: "ms", ...goal },
      { figure: `${items} items, all ended: one look`, value: all, unit: "ms", ...goal },
    ];
  }),
  { figure: "500 items over 100, all ended (linear is 5)", value: at(500).all / at(100).all, unit: "×", goal: 6.5 },
  { figure: "heap of a run and its outcomes, 500 items", value: memory(500), unit: "MiB" },
]);
