import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { BUILD_MS } from "../cluster/built.ts";
import { type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { type Jaeger, type JaegerSpan, startJaeger } from "../jaeger.ts";
import { agentic, type Command, EXAMPLE } from "./cli.ts";
import { honest } from "./honest-model.ts";
import { endServers } from "./processes.ts";

const truth = await loadTruth();
const example = parse(readFileSync(EXAMPLE, "utf8")) as {
  spec: { inputs: { sites: string[]; pagesPerSite?: number } };
};
example.spec.inputs.pagesPerSite = 1;
const SITES = example.spec.inputs.sites.slice(0, 3);
let jaeger: Jaeger;
let sites: SampleSites;
let provider: FakeOpenAi;
let out: string;
let command: Command;
beforeAll(async () => {
  jaeger = await startJaeger();
  sites = await startSampleSites();
  provider = await startFakeOpenAi();
}, BUILD_MS);
afterAll(async () => {
  await sites?.close();
  await provider?.close();
  await jaeger?.stop();
});
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "agentic-e2e-"));
  provider.reset();
  provider.answer((request) => ({ ...honest(request), usage: { input: 1000, output: 100 } }));
});
afterEach(async () => {
  command.child.kill("SIGKILL");
  await command.ended;
  await endServers(out);
  await rm(out, { recursive: true, force: true });
});

async function run(endpoint = jaeger.endpoint): Promise<Command> {
  const file = join(out, "workload.yaml");
  await writeFile(
    file,
    stringify({ ...example, spec: { ...example.spec, inputs: { ...example.spec.inputs, sites: SITES } } }),
  );
  const resolve = truth.flatMap(({ site }) => ["--resolve", `${new URL(site).host}=127.0.0.1:${sites.port}`]);
  command = agentic(["run", file, "--out", out, "--approve", ...resolve], {
    LLM_BASE_URL: provider.baseUrl,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_BSP_SCHEDULE_DELAY: "100",
  });
  return command;
}
const state = async () => JSON.parse(await readFile(join(out, "run.json"), "utf8"));
async function traceOfRun(): Promise<readonly JaegerSpan[]> {
  const { trace } = await state();
  return expect
    .poll(() => jaeger.trace(trace), { timeout: 10_000 })
    .toBeDefined()
    .then(async () => (await jaeger.trace(trace)) ?? []);
}
const named = (spans: readonly JaegerSpan[], name: string) => spans.filter((span) => span.name.startsWith(name));

describe("the trace of a run, in Jaeger", () => {
  test("leads from the run to each call, and its dollars are those of the ledger and the provider", async () => {
    expect((await (await run()).ended).code).not.toBeNull();
    const spans = await traceOfRun();
    const byId = new Map(spans.map((span) => [span.id, span]));
    const [root, ...others] = spans.filter(({ parent }) => parent === undefined);
    expect(others).toEqual([]);
    expect(root?.name).toBe("run market-analysis");
    for (const { parent } of spans) if (parent !== undefined) expect([...byId.keys()]).toContain(parent);
    const parentsOf = (name: string) => new Set(named(spans, name).map(({ parent }) => byId.get(parent ?? "")?.name));
    expect(
      named(spans, "step ")
        .map(({ name, tags }) => `${name} ${tags["agentic.item"] ?? ""}`)
        .toSorted(),
    ).toEqual([...SITES.flatMap((site) => [`step analyze ${site}`, `step scrape ${site}`]), "step report "].toSorted());
    expect(parentsOf("step ")).toEqual(new Set(["run market-analysis"]));
    expect(parentsOf("gate review")).toEqual(new Set(["run market-analysis"]));
    expect(parentsOf("attempt scrape")).toEqual(new Set(["step scrape"]));
    expect(parentsOf("attempt report")).toEqual(new Set(["step report"]));
    expect(parentsOf("browser visit")).toEqual(
      new Set(named(spans, "browser visit").map(({ parent }) => byId.get(parent ?? "")?.name)),
    );
    for (const visit of named(spans, "browser visit")) expect(byId.get(visit.parent ?? "")?.name).toMatch(/^node /);
    const calls = named(spans, "chat ");
    expect(calls.length).toBe(provider.requests.length);
    for (const call of calls) {
      expect(byId.get(call.parent ?? "")?.name).toMatch(/^node /);
      expect(call.tags).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.usage.input_tokens": 1000,
        "gen_ai.usage.output_tokens": 100,
      });
    }
    const cost = calls.reduce((sum, { tags }) => sum + Number(tags["gen_ai.usage.cost"]), 0);
    const { usage } = await state();
    expect(cost).toBeCloseTo(usage.costUsd, 6);
    // gpt-6-luna: $0.10 and $0.50 a million.
    expect(cost).toBeCloseTo(provider.requests.length * (1000 * 0.1 + 100 * 0.5) * 1e-6, 6);
    expect(root?.tags).toMatchObject({ "agentic.workload.name": "market-analysis" });
  });

  test("of a run that was killed shows which start went on from which", async () => {
    const killed = await run();
    await killed.said(/scrape +http/);
    killed.child.kill("SIGKILL");
    await killed.ended;
    await (await run()).ended;
    const spans = await traceOfRun();
    expect(named(spans, "run ")).toHaveLength(1);
    expect(named(spans, "step ")).toHaveLength(7);
    const attempts = named(spans, "attempt ");
    const steps = new Set(named(spans, "step ").map(({ id }) => id));
    for (const { parent } of attempts) expect(steps).toContain(parent);
    // The killed starts left no span of their own, but for their names in the links of those that went on from them.
    const resumed = attempts.filter(({ links }) => links.length > 0);
    expect(resumed.length).toBeGreaterThan(0);
    for (const { tags } of resumed) expect(tags["agentic.outcome"]).toBe("succeeded");
  });

  test("no receiver, and one that refuses, cost a run nothing", async () => {
    const { code, stderr } = await (await run("http://127.0.0.1:1")).ended;
    expect([code, stderr]).toEqual([0, expect.stringContaining("[3/3] analyze")]);
    expect(stderr).not.toMatch(/telemetry|ECONNREFUSED/);
  });
});
