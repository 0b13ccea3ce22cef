import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { type FakeOpenAi, saidIn, startFakeOpenAi } from "../fakes/openai.ts";
import { agentic, EXAMPLE } from "./cli.ts";
import { honest } from "./honest-model.ts";
import { endServers } from "./processes.ts";

const truth = await loadTruth();
const example = parse(readFileSync(EXAMPLE, "utf8")) as { spec: { inputs: { sites: string[] } } };
let sites: SampleSites;
let provider: FakeOpenAi;
let folder: string;
/** What the pages became since: the market's changes. */
let changes: (readonly [page: string, was: string | RegExp, is: string])[] = [];

beforeAll(async () => {
  sites = await startSampleSites({
    edit: (page, html) =>
      changes.filter(([of]) => page.startsWith(of)).reduce((text, [, was, is]) => text.replaceAll(was, is), html),
  });
  provider = await startFakeOpenAi();
  folder = await mkdtemp(join(tmpdir(), "agentic-second-"));
});
afterAll(async () => {
  for (const name of ["first", "second", "painted", "as-painted", "repainted", "rules", "changed"])
    await endServers(join(folder, name));
  await sites.close();
  await provider.close();
  await rm(folder, { recursive: true, force: true });
});

/** With the provider, unless `env` says otherwise. */
async function run(
  name: string,
  more: string[] = [],
  env: Record<string, string> = { LLM_BASE_URL: provider.baseUrl },
) {
  const file = join(folder, `${name}.yaml`);
  const inputs = { ...example.spec.inputs, sites: example.spec.inputs.sites.slice(0, 3) };
  await writeFile(file, stringify({ ...example, metadata: { name }, spec: { ...example.spec, inputs } }));
  const hosts = truth.flatMap(({ site }) => ["--resolve", `${new URL(site).host}=127.0.0.1:${sites.port}`]);
  const out = join(folder, name);
  const { code, stderr } = await agentic(["run", file, "--out", out, "--approve", ...hosts, ...more], env).ended;
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  const read = async (path: string) => JSON.parse(await readFile(join(out, path), "utf8"));
  return { state: await read("run.json"), report: await read("report.json") };
}

test("a second run over sites that did not change asks no model, and says that nothing changed", async () => {
  provider.answer((request) => ({ ...honest(request), usage: { input: 1000, output: 100 } }));
  const first = await run("first");
  const asked = provider.requests.length;
  expect(asked).toBeGreaterThan(3);
  expect(first.state.usage.costUsd).toBeGreaterThan(0);

  const second = await run("second", ["--compare-with", join(folder, "first")]);
  expect(provider.requests.length).toBe(asked);
  expect(second.state.usage.costUsd).toBe(0);
  expect(second.state.comparedWith).toMatchObject({ workload: "first" });
  expect(Object.keys(second.state.outputs).filter((role) => role.startsWith("."))).toEqual([]);
  expect(first.report.changes).toBeNull();
  expect(second.report.changes.list.filter(({ material }: { material: boolean }) => material)).toEqual([]);
});

test("a price that is painted, and all that changed, is asked about again", async () => {
  const before = provider.requests.length;
  const painted = (price: number): typeof changes => [
    [
      "www.shiftwell.example/",
      /<body[^>]*>/g,
      `$&<canvas id="painted" width="200" height="30" style="position:absolute;left:8px;top:8px"></canvas>
        <script>const c = document.getElementById("painted").getContext("2d"); c.font = "14px sans-serif"; c.fillText("$${price} a month", 5, 20)</script>`,
    ],
  ];
  provider.answer((request) => ({ ...honest(request), usage: { input: 1000, output: 100 } }));
  changes = painted(29);
  await run("painted");
  const asked = provider.requests.length;
  expect(asked).toBeGreaterThan(before);
  const askedAgain = () =>
    provider.requests.slice(asked).map((one) => /URL: \S+/.exec(saidIn(one))?.[0] ?? "the report");
  await run("as-painted", ["--compare-with", join(folder, "painted")]);
  expect(askedAgain()).toEqual([]);
  changes = painted(39);
  await run("repainted", ["--compare-with", join(folder, "as-painted")]);
  expect(askedAgain()).toEqual(["URL: http://www.shiftwell.example/"]);
});

test("a report on a market that changed says what changed, what of it is material, and no noise", async () => {
  await run("rules", [], {});
  changes = [
    ["www.rosterly.example/", /\$8(?!\d)/g, "$9"],
    ["www.rosterly.example/", "The roster that writes itself", "The roster that plans itself"],
    ["www.schichtplan.example/", "30 Tage Geld-zurück-Garantie", ""],
    ["www.shiftwell.example/", "10,000+", "11,000+"],
  ];
  const { report } = await run("changed", ["--compare-with", join(folder, "rules")], {});
  const { list, sites: all } = report.changes as {
    list: { material: boolean; sentence: string }[];
    sites: { label: string; status: string }[];
  };
  const sentences = list.filter(({ material }) => material).map(({ sentence }) => sentence);
  expect(sentences).toEqual([
    "Rosterly’s main claim changed from “The roster that writes itself” to “The roster that plans itself”.",
    "Rosterly raised Solo from $8 to $9 a month (+13%).",
    "Schichtplan no longer has the guarantee “30 Tage Geld-zurück-Garantie”.",
  ]);
  expect(list.filter(({ material }) => !material)).toEqual([
    expect.objectContaining({ sentence: expect.stringContaining("11,000+") }),
  ]);
  expect(Object.fromEntries(all.map(({ label, status }) => [label, status]))).toEqual({
    Shiftwell: "changed",
    Rosterly: "changed",
    Schichtplan: "changed",
  });
});
