import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Cluster, SeenWorkload } from "../../../cli/kubectl/cluster.ts";
import { cost } from "../../../cli/kubectl/cost.ts";
import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { artifactKey } from "../../../engine/artifact-key.ts";
import { canonicalJson, sha256 } from "../../../engine/canonical.ts";
import { NO_USAGE } from "../../../engine/result.ts";
import type { NodeView, RunView } from "../../../functions/reconcile/run-engine.ts";
import { createArtifactReader } from "../../../lib/edges/artifacts.ts";
import { ok, runWith, workloadOf } from "../engine/build.ts";

const SPEC = { inputs: { sites: ["https://a.example/", "https://b.example/"] } };
const { pipeline } = runWith(
  [
    { name: "look", forEach: "inputs.sites" },
    { name: "report", after: ["look"] },
  ],
  SPEC,
);
const OWNER = { namespace: "team-a", uid: "5b3c1b2e-0000-4000-8000-000000000001" };

const stored = new Map<string, Uint8Array>();
function node(step: string, costUsd: number, index?: number, isKept = true): NodeView {
  const calls = { purpose: "test", prompt: "p", calls: 1, inputTokens: 0, outputTokens: 0 };
  const modelCalls = [
    { model: "large", ...calls, costUsd: costUsd / 2 },
    { model: "small", ...calls, costUsd: costUsd / 4 },
    { model: "large", ...calls, purpose: "repair", costUsd: costUsd / 4 },
  ];
  const json = canonicalJson(ok({ usage: { ...NO_USAGE, costUsd }, modelCalls }));
  const digest = sha256(json);
  if (isKept) stored.set(artifactKey(OWNER, digest, "json"), new TextEncoder().encode(json));
  const at = index === undefined ? {} : { index };
  return {
    id: `${step}${index}`,
    role: "step",
    step,
    ...at,
    phase: "Succeeded",
    startedAt: "",
    output: `succeeded ${digest}`,
  };
}

const status = {
  phase: "Succeeded",
  pipeline: "default/pipeline",
  workflow: "demo-0123456789",
  startedAt: "2026-11-30T10:00:00.000Z",
  usage: { inputTokens: 1, outputTokens: 1, costUsd: "0.003500", browserSeconds: 0 },
  steps: [
    { name: "look", total: 2, running: 0, succeeded: 2, failed: 0, skipped: 0, costUsd: "0.001500" },
    { name: "report", total: 1, running: 0, succeeded: 1, failed: 0, skipped: 0, costUsd: "0.002000" },
  ],
} satisfies WorkloadStatus;
const WORKLOAD: SeenWorkload = {
  ...workloadOf(SPEC),
  metadata: { ...OWNER, name: "demo", createdAt: "2026-11-30T10:00:00Z" },
  status,
};

function cluster(nodes: readonly NodeView[] | undefined, read = async (key: string) => stored.get(key)): Cluster {
  return {
    namespace: "team-a",
    workload: async (name: string) => (name === "demo" ? WORKLOAD : undefined),
    workloads: async () => [WORKLOAD],
    run: async () => nodes && ({ nodes, pipeline } as unknown as RunView),
    artifacts: { ...createArtifactReader({ read }), size: async () => undefined },
  } as unknown as Cluster;
}

let printed = "";
let said = "";
beforeEach(() => {
  [printed, said] = ["", ""];
  stored.clear();
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

const NODES = () => [node("look", 0.0005, 0), node("look", 0.001, 1), node("report", 0.002)];
const byItem = { by: "item", output: "json" } as const;

test("by item, from the results that the nodes name", async () => {
  expect(await cost(cluster(NODES()), "demo", byItem)).toBe(0);
  expect(JSON.parse(printed)).toEqual({
    by: "item",
    rows: [
      { list: "inputs.sites", item: "https://a.example/", costUsd: 0.0005 },
      { list: "inputs.sites", item: "https://b.example/", costUsd: 0.001 },
      { step: "report", costUsd: 0.002 },
    ],
    totalUsd: 0.0035,
  });
  expect(said).toBe("");
});

test.each(["demo", undefined])("by model, of %s", async (name) => {
  expect(await cost(cluster(NODES()), name, { by: "model", output: "json" })).toBe(0);
  expect(JSON.parse(printed)).toEqual({
    by: "model",
    rows: [
      { model: "large", costUsd: 0.002625 },
      { model: "small", costUsd: 0.000875 },
    ],
    totalUsd: 0.0035,
  });
});

test("by model, of all runs: which of them is not attributed is said", async () => {
  await cost(cluster(undefined), undefined, { by: "model", output: "json" });
  expect(said).toMatch(/^kubectl agentic: not attributed: team-a\/demo: the run's Workflow is gone/);
});

test.each<[string, () => Cluster, number, RegExp]>([
  [
    "bytes are gone",
    () => cluster([node("look", 0.0005, 0), node("look", 0.001, 1, false), node("report", 0.002)]),
    0.001,
    /gone from the object store/,
  ],
  ["the store is away", () => cluster(NODES(), () => Promise.reject(new Error("away"))), 0.0035, /away/],
  ["the Workflow is gone", () => cluster(undefined), 0.0035, /Workflow is gone/],
  [
    "a node is settled with no result",
    () => cluster([...NODES().slice(0, 2), { ...node("report", 0.002), output: "not-run" }]),
    0.002,
    /^$/,
  ],
])("where %s, the rest is not attributed", async (_what, given, notAttributedUsd, why) => {
  expect(await cost(given(), "demo", byItem)).toBe(0);
  expect(JSON.parse(printed)).toMatchObject({ notAttributedUsd, totalUsd: 0.0035 });
  expect(said).toMatch(why);
});

test("one by its steps, all by run", async () => {
  await cost(cluster([]), "demo", { output: "text" });
  expect(printed).toBe(`\
PIPELINE           STEP     COST
default/pipeline   look     $0.001500
default/pipeline   report   $0.002000
total                       $0.003500
`);
  printed = "";
  await cost(cluster([]), undefined, { output: "json" });
  expect(JSON.parse(printed).rows).toEqual([{ namespace: "team-a", name: "demo", costUsd: 0.0035 }]);
});

test("what is not there, and items of no workload, are errors", async () => {
  expect(await cost(cluster([]), "other", { output: "text" })).toBe(1);
  expect(await cost(cluster([]), undefined, byItem)).toBe(2);
  expect([printed, said]).toEqual(["", expect.stringContaining("name it")]);
});
