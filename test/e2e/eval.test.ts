import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { type FakeAnswer, type FakeOpenAi, saidIn, startFakeOpenAi } from "../fakes/openai.ts";
import { agentic, EXAMPLE } from "./cli.ts";
import { honest } from "./honest-model.ts";
import { endServers } from "./processes.ts";

const truth = await loadTruth();
const example = parse(readFileSync(EXAMPLE, "utf8")) as { spec: { inputs: { sites: string[] } } };
const chosen = example.spec.inputs.sites.slice(0, 2);
const OWN = "gpt-6-luna";
const OTHER = "gpt-4o-mini";
const EMPTY = { positioning: null, audience: [], offers: [], callsToAction: [], proof: [], layout: [] };

let sites: SampleSites;
let provider: FakeOpenAi;
let out: string;
let file: string;
const resolved = (): string[] =>
  truth.flatMap(({ site }) => ["--resolve", `${new URL(site).host}=127.0.0.1:${sites.port}`]);
const command = (verb: string, ...more: string[]) =>
  agentic([verb, file, "--out", out, ...resolved(), ...more], { LLM_BASE_URL: provider.baseUrl }).ended;

const requests = (): number => [...sites.hits.values()].reduce((sum, hits) => sum + hits, 0);

beforeAll(async () => {
  sites = await startSampleSites();
  provider = await startFakeOpenAi();
  out = await mkdtemp(join(tmpdir(), "agentic-eval-"));
  file = join(out, "workload.yaml");
  const inputs = { ...example.spec.inputs, pagesPerSite: 1, sites: chosen };
  await writeFile(file, stringify({ ...example, spec: { ...example.spec, inputs, model: { name: OWN } } }));
});
afterAll(async () => {
  await endServers(out);
  await sites.close();
  await provider.close();
  await rm(out, { recursive: true, force: true });
});
beforeEach(() => provider.reset());

/** One model makes up what it quotes, the other quotes the page. */
function provideAnswers(): void {
  provider.answer((request): FakeAnswer => {
    if (saidIn(request).includes("market strategist")) return honest(request);
    const quote = /^- (.{10,100})$/m.exec(saidIn(request))?.[1] ?? "";
    const claim = request.model === OWN ? quote : "Nobody ever wrote this.";
    const proof = claim === "" ? [] : [{ kind: "customer", value: claim, quote: claim }];
    return { content: { ...EMPTY, proof }, usage: { input: 1000, output: 100 } };
  });
}

describe("agentic eval", () => {
  test("refuses where nothing was recorded", async () => {
    const { code, stderr } = await command("eval");
    expect([code, stderr]).toEqual([2, expect.stringContaining("run it first with agentic run")]);
  });

  test("compares models on a recorded run without fetching, and pays for nothing twice", async () => {
    provideAnswers();
    expect((await command("run", "--approve")).code).toBe(0);
    const asked = provider.requests.length;
    const state = await readFile(join(out, "run.json"), "utf8");
    const fetched = requests();
    const expectations = join(out, "expect.yaml");
    await writeFile(
      expectations,
      stringify(chosen.map((item) => ({ step: "analyze", item, artifact: "capture", expect: { status: 200 } }))),
    );
    const compare = () =>
      command("eval", "--step", "analyze", "--model", OTHER, "--expect", expectations, "--output", "json");
    const first = await compare();
    expect([first.code, first.stderr]).toEqual([0, expect.any(String)]);
    const [own, other] = JSON.parse(first.stdout);
    expect(own).toMatchObject({
      model: OWN,
      steps: [
        { step: "analyze", succeeded: 2, expected: { found: 2, expected: 2 }, medianSeconds: expect.any(Number) },
      ],
    });
    expect(other).toMatchObject({
      model: OTHER,
      steps: [{ step: "analyze", succeeded: 2, evaluations: { quotes: { mean: 0, count: 2 } } }],
    });
    expect(own.steps[0].evaluations.quotes.mean).toBeGreaterThan(0);
    expect(other.steps[0].usage.costUsd).toBeGreaterThan(0);
    expect(provider.requests.slice(asked).map(({ model }) => model)).toEqual([OTHER, OTHER]);
    expect(requests()).toBe(fetched);

    const again = await compare();
    expect(again.code).toBe(0);
    expect(provider.requests.length).toBe(asked + 2);
    expect(JSON.parse(again.stdout)).toEqual([own, other]);
    expect(await readFile(join(out, "run.json"), "utf8")).toBe(state);
  });

  test("does the steps again where asked to", async () => {
    provideAnswers();
    const { code, stdout } = await command("eval", "--again", "--output", "json");
    expect(code).toBe(0);
    const [before, now] = JSON.parse(stdout);
    expect([before.asRecorded, now.asRecorded]).toEqual([true, undefined]);
    for (const { steps } of [before, now])
      expect(steps[0]).toMatchObject({ succeeded: 2, medianSeconds: expect.any(Number) });
  });

  test("does not do what comes before the evaluated steps", async () => {
    const changed = join(out, "more.yaml");
    const { spec, ...rest } = parse(await readFile(file, "utf8"));
    const inputs = { ...spec.inputs, sites: example.spec.inputs.sites.slice(0, 3) };
    await writeFile(changed, stringify({ ...rest, spec: { ...spec, inputs, tolerate: { failedItems: "100%" } } }));
    const fetched = requests();
    const { code, stderr } = await agentic(["eval", changed, "--out", out, ...resolved()], {
      LLM_BASE_URL: provider.baseUrl,
    }).ended;
    expect([code, stderr]).toEqual([1, expect.stringContaining("step scrape is not recorded on 1 item")]);
    expect(requests()).toBe(fetched);
  });
});
