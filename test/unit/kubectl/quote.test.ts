import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Cluster, ClusterOptions } from "../../../cli/kubectl/cluster.ts";
import { quote } from "../../../cli/kubectl/quote.ts";
import { pipelineOf, workloadOf } from "../engine/build.ts";

const STEPS = [
  { name: "look", forEach: "inputs.sites", with: ["model"] },
  { name: "report", after: ["look"] },
];
const SITES = { type: "object", properties: { sites: { type: "array" } } };
const PIPELINE = pipelineOf(STEPS, { inputs: { schema: SITES } });
const INPUTS = { sites: ["https://a.example/"] };

let folder: string;
let printed = "";
let said = "";
beforeEach(async () => {
  [printed, said] = ["", ""];
  folder = await mkdtemp(join(tmpdir(), "agentic-quote-"));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

const SPEC = { pipeline: "pipeline", inputs: INPUTS };
/** Ended as `status` says, of this spec. */
const there = (status: object, spec: object = SPEC) => ({
  ...workloadOf(spec),
  metadata: { namespace: "team-a", name: "demo", uid: "uid-1", generation: 1, createdAt: "" },
  status: { finishedAt: "2026-11-30T10:00:00.000Z", conditions: [{ type: "Ready", observedGeneration: 1 }], ...status },
});

async function quoted(
  spec: object,
  existing?: object,
  metadata: object = { name: "demo" },
  options: ClusterOptions = {},
) {
  const file = join(folder, "workload.yaml");
  const document = { apiVersion: "agentic.dev/v1alpha1", kind: "AgentWorkload", metadata, spec };
  await writeFile(file, JSON.stringify(document));
  const asked: ClusterOptions[] = [];
  const connect = (given: ClusterOptions): Cluster => {
    asked.push(given);
    return {
      namespace: given.namespace ?? "team-a",
      workload: async () => existing,
      pipeline: async (name: string) => (name === "pipeline" ? PIPELINE : undefined),
    } as unknown as Cluster;
  };
  const code = await quote(connect, [file], { ...options, output: "json" });
  return { code, asked, document: printed === "" ? undefined : JSON.parse(printed) };
}

test("by the cluster's pipeline; of a workload that is not there nothing is reused", async () => {
  const { code, document } = await quoted(SPEC);
  expect([code, said]).toEqual([0, ""]);
  expect(document).toMatchObject({
    namespace: "team-a",
    name: "demo",
    steps: [
      { step: "look", agent: "worker", total: 1, reused: 0, toRun: 1 },
      { step: "report", reused: 0, toRun: 1, worstUsd: 0 },
    ],
    items: { total: 1, toDo: 1 },
    spentUsd: 0,
  });
  expect(document.worstUsd).toBeGreaterThan(0);
});

test("of one that is there, what is reused is not known, and what it cost counts towards the budget", async () => {
  const usage = { inputTokens: 1, outputTokens: 1, costUsd: "0.4", browserSeconds: 0 };
  const spec = { ...SPEC, budget: { maxUsd: "0.401" } };
  const { document } = await quoted(spec, there({ phase: "Failed", usage }));
  expect(document.steps[0]).not.toHaveProperty("reused");
  expect(document).toMatchObject({ spentUsd: 0.4, budgetIsBelowOneCall: true });
  expect(said).toMatch(/demo is there already \(Failed\).*not known before/);
});

test.each<[string, object, object | undefined, number, RegExp]>([
  ["that is suspended", { ...SPEC, suspend: true }, undefined, 4, /nothing starts/],
  ["that is stopped", { ...SPEC, stop: true }, undefined, 4, /nothing starts/],
  ["that has succeeded already", SPEC, there({ phase: "Succeeded" }), 0, /succeeded at 2026-11-30T10:00:00.000Z/],
])("one %s starts nothing", async (_what, spec, existing, exit, why) => {
  const { code, document } = await quoted(spec, existing);
  expect([code, document.steps.map(({ toRun }: { toRun: number }) => toRun)]).toEqual([exit, [0, 0]]);
  expect(said).toMatch(why);
});

test("another run than the one that has succeeded does start", async () => {
  const other = { ...SPEC, inputs: { sites: ["https://b.example/"] } };
  expect((await quoted(other, there({ phase: "Succeeded" }))).document.items.toDo).toBe(1);
});

test.each<[string, object, RegExp]>([
  ["a spec that is none", { ...SPEC, replicas: 0 }, /replicas/],
  ["an input that is no list", { ...SPEC, inputs: { sites: "https://a.example/" } }, /sites/],
  ["a pipeline that nobody has", { pipeline: "nowhere" }, /there is no pipeline nowhere/],
])("%s is wrong input", async (_what, spec, why) => {
  const { code } = await quoted(spec);
  expect([code, printed]).toEqual([2, ""]);
  expect(said).toMatch(why);
});

test("the pipeline that ships is the last resort, and said", async () => {
  const { code } = await quoted({ pipeline: "market-analysis", inputs: { objective: "Why?", ...INPUTS } });
  expect([code, said]).toEqual([0, expect.stringContaining("as it ships")]);
});

test.each<[string, object, ClusterOptions, ClusterOptions]>([
  ["the file's", { name: "demo", namespace: "team-b" }, {}, { namespace: "team-b" }],
  [
    "the command line's before the file's",
    { name: "demo", namespace: "team-b" },
    { namespace: "c" },
    { namespace: "c" },
  ],
  ["the context's", { name: "demo" }, { context: "x" }, { context: "x" }],
])("the namespace is %s", async (_what, metadata, options, expected) => {
  expect((await quoted(SPEC, undefined, metadata, options)).asked).toEqual([expected]);
});
