import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { BUILD_MS } from "../cluster/built.ts";
import { type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { asked, QUERIES } from "../observability.ts";
import { type Prometheus, startPrometheus } from "../prometheus.ts";
import { agentic, EXAMPLE } from "./cli.ts";
import { honest } from "./honest-model.ts";
import { endServers } from "./processes.ts";

// A run of the example with a model, and what the dashboards show of it: its processes live for seconds, and send once.

const example = parse(readFileSync(EXAMPLE, "utf8")) as { spec: { inputs: { sites: string[] } } };
const SITES = example.spec.inputs.sites.slice(0, 2);
const TOKENS = { input: 1000, output: 100 };
/** What only a cluster counts, and what nothing in this run gives cause for. */
const NOT_COUNTED = [
  "agentic_telemetry_lost_",
  "agentic_step_recorded",
  "agentic_runs_active",
  "agentic_gate_waiting",
  "agentic_reconcile_",
  "agentic_review_decisions",
  "agentic_admission_requests",
  "agentic_egress_refusals",
  "agentic_usage_",
  "agentic_licence_",
  "agentic_clock_",
  'outcome="failed"',
];

let prometheus: Prometheus;
let sites: SampleSites;
let provider: FakeOpenAi;
let out: string;
let state: { readonly usage: { readonly costUsd: number } };
const show = async (where: string) =>
  Promise.all(QUERIES.filter((query) => query.where === where).map(({ expr }) => prometheus.query(asked(expr))));

beforeAll(async () => {
  prometheus = await startPrometheus();
  [sites, provider] = await Promise.all([startSampleSites(), startFakeOpenAi()]);
  provider.answer((request) => ({ ...honest(request), usage: TOKENS }));
  out = await mkdtemp(join(tmpdir(), "agentic-e2e-"));
  const file = join(out, "workload.yaml");
  await writeFile(
    file,
    stringify({
      ...example,
      spec: { ...example.spec, inputs: { ...example.spec.inputs, sites: SITES, pagesPerSite: 1 } },
    }),
  );
  const resolve = (await loadTruth()).flatMap(({ site }) => [
    "--resolve",
    `${new URL(site).host}=127.0.0.1:${sites.port}`,
  ]);
  const { code, stderr } = await agentic(["run", file, "--out", out, "--approve", ...resolve], {
    LLM_BASE_URL: provider.baseUrl,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: prometheus.endpoint,
  }).ended;
  expect(code, stderr).toBe(0);
  state = JSON.parse(await readFile(join(out, "run.json"), "utf8"));
}, BUILD_MS);
afterAll(async () => {
  await Promise.all([sites?.close(), provider?.close(), prometheus?.stop()]);
  if (out !== undefined) {
    await endServers(out);
    await rm(out, { recursive: true, force: true });
  }
});

describe("the dashboards of a run", () => {
  test.each(QUERIES.filter(({ expr }) => !NOT_COUNTED.some((name) => expr.includes(name))))(
    "show $where",
    async ({ expr, legendFormat }) => {
      const samples = await prometheus.query(asked(expr));
      expect(samples).not.toEqual([]);
      for (const { labels } of samples)
        for (const [, label = ""] of legendFormat.matchAll(/{{(\w+)}}/g)) expect(labels[label]).not.toBe("");
    },
  );

  test("count one run, each of its steps and no start that goes on", async () => {
    expect(await show("fleet.json: Runs by outcome")).toEqual([[{ labels: { outcome: "Succeeded" }, value: 1 }]]);
    const [steps = []] = await show("run.json: Steps by outcome");
    expect(
      Object.fromEntries(steps.map(({ labels: { step, outcome }, value }) => [`${step} ${outcome}`, value])),
    ).toEqual({
      "scrape succeeded": SITES.length,
      "analyze succeeded": SITES.length,
      "report succeeded": 1,
    });
    const [running = []] = await show("fleet.json: Steps under way");
    expect(running.map(({ value }) => value)).toEqual(running.map(() => 0));
    expect(running.length).toBeGreaterThan(0);
  });

  test("have the dollars and tokens of the ledger and the provider", async () => {
    const { costUsd } = state.usage;
    const [[of = undefined] = []] = await show("cost.json: Dollars of runs");
    expect(of?.value).toBeCloseTo(costUsd, 6);
    const [[calls = undefined] = []] = await show("cost.json: Dollars of calls");
    expect(calls?.value).toBeCloseTo(costUsd, 6);
    const [[item = undefined] = []] = await show("cost.json: Dollars an item, by pipeline");
    expect(item?.value).toBeCloseTo(costUsd / SITES.length, 6);
    const [tokens = []] = await show("cost.json: Tokens by model");
    const asked = provider.requests.length;
    expect(Object.fromEntries(tokens.map(({ labels, value }) => [labels["gen_ai_token_type"], value]))).toEqual({
      input: asked * TOKENS.input,
      output: asked * TOKENS.output,
    });
  });
});
