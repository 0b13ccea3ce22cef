import { gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { settlePatch, viewWorkflow } from "../../../functions/reconcile/argo/nodes.ts";
import type { NodeView } from "../../../functions/reconcile/run-engine.ts";
import { T0, workflowObject } from "./given.ts";

const NOW = new Date("2026-01-01T10:06:00.123Z");
const plain = workflowObject({ nodes: ["fetch/0 Running", "fetch/1 Running"] }, "demo-0123456789");
const view = viewWorkflow(plain);

function nodeAt(index: number): NodeView {
  const node = view.nodes[index];
  if (!node) throw new Error(`there is no node ${index}`);
  return node;
}

test("settled nodes are tested for being what was seen", () => {
  const settlements = [
    { node: nodeAt(0), phase: "Succeeded", output: "succeeded abc" },
    { node: nodeAt(1), phase: "Failed", output: "failed def", message: "Timeout: why" },
  ] as const;
  const outputs = (value: string) => ({ parameters: [{ name: "result", value }] });
  expect(settlePatch(view, settlements, NOW)).toEqual([
    { op: "test", path: "/status/nodes/id-fetch/0/phase", value: "Running" },
    { op: "test", path: "/status/nodes/id-fetch/0/startedAt", value: T0 },
    { op: "add", path: "/status/nodes/id-fetch/0/phase", value: "Succeeded" },
    { op: "add", path: "/status/nodes/id-fetch/0/finishedAt", value: "2026-01-01T10:06:00Z" },
    { op: "add", path: "/status/nodes/id-fetch/0/outputs", value: outputs("succeeded abc") },
    { op: "test", path: "/status/nodes/id-fetch/1/phase", value: "Running" },
    { op: "test", path: "/status/nodes/id-fetch/1/startedAt", value: T0 },
    { op: "add", path: "/status/nodes/id-fetch/1/phase", value: "Failed" },
    { op: "add", path: "/status/nodes/id-fetch/1/finishedAt", value: "2026-01-01T10:06:00Z" },
    { op: "add", path: "/status/nodes/id-fetch/1/message", value: "Timeout: why" },
    { op: "add", path: "/status/nodes/id-fetch/1/outputs", value: outputs("failed def") },
  ]);
});

test("compressed nodes are read, and written as the one value they are", () => {
  const { nodes, ...status } = plain.status as { nodes: unknown };
  const compressedNodes = gzipSync(JSON.stringify(nodes)).toString("base64");
  const compressed = viewWorkflow({ ...plain, status: { ...status, compressedNodes } });
  expect(compressed.nodes).toEqual(view.nodes);
  const settlement = { node: nodeAt(0), phase: "Succeeded", output: "v" } as const;
  const [check, change, ...rest] = settlePatch(compressed, [settlement], NOW);
  expect(check).toEqual({ op: "test", path: "/status/compressedNodes", value: compressedNodes });
  expect(rest).toEqual([]);
  const written = JSON.parse(gunzipSync(Buffer.from(String(change?.value), "base64")).toString("utf8"));
  expect(written["id-fetch/0"]).toMatchObject({
    phase: "Succeeded",
    outputs: { parameters: [{ name: "result", value: "v" }] },
  });
  expect(written["id-fetch/1"]).toMatchObject({ phase: "Running" });
});

describe("a node of Argo's", () => {
  const base = { id: "n", type: "Suspend", phase: "Running", startedAt: T0 };
  const output = (value: unknown) => ({ parameters: [{ name: "result", value }] });
  test.each<[string, object, Partial<NodeView> | undefined]>([
    ["of a single step", { templateName: "step-write" }, { role: "step", step: "write", phase: "Running" }],
    [
      "of a step on an item",
      { templateName: "step-fetch", inputs: { parameters: [{ name: "index", value: "7" }] } },
      { role: "step", step: "fetch", index: 7 },
    ],
    ["of a step with a role's name", { templateName: "step-gate-end" }, { role: "step", step: "gate-end" }],
    ["of a gate", { templateName: "gate-review" }, { role: "gate", step: "review" }],
    [
      "of a list",
      { templateName: "list-check", phase: "Succeeded", outputs: output(3) },
      { role: "list", step: "check", output: "3" },
    ],
    ["of the end", { templateName: "end" }, { role: "end", step: "" }],
    [
      "that has failed",
      { templateName: "step-write", phase: "Failed", finishedAt: T0, message: "why" },
      { phase: "Failed", finishedAt: T0, message: "why" },
    ],
    [
      "that Argo gave no output",
      { templateName: "gate-review", phase: "Succeeded", outputs: output(undefined) },
      { role: "gate" },
    ],
    ["that is a DAG", { type: "DAG", templateName: "item-fetch" }, undefined],
    ["that was skipped", { type: "Skipped", templateName: "step-write", phase: "Omitted" }, undefined],
    ["of a template that reconcile did not render", { templateName: "pause" }, undefined],
  ])("%s", (_what, node, expected) => {
    const [seen] = viewWorkflow({ ...plain, status: { phase: "Running", nodes: { n: { ...base, ...node } } } }).nodes;
    if (expected) expect(seen).toMatchObject(expected);
    else expect(seen).toBeUndefined();
  });
});

describe("a Workflow", () => {
  test.each<[string, object, object]>([
    ["that Argo has not seen", { status: undefined }, { phase: "", nodes: [], suspended: false, shutdown: false }],
    ["that is suspended", { spec: { suspend: true } }, { suspended: true }],
    ["that is stopped", { spec: { shutdown: "Stop" } }, { shutdown: true, superseded: false }],
    ["that is on its way out", { metadata: { ...plain.metadata, deletionTimestamp: T0 } }, { deleted: true }],
    [
      "that was superseded and told to look",
      {
        metadata: {
          ...plain.metadata,
          annotations: { "agentic.dev/superseded": "true", "agentic.dev/nudged-at": "2026-01-01T10:00:05.000Z" },
        },
      },
      { superseded: true, nudgedAt: new Date("2026-01-01T10:00:05Z") },
    ],
  ])("%s", (_what, over, expected) => {
    expect(viewWorkflow({ ...plain, ...over })).toMatchObject(expected);
  });

  test.each([
    ["gone", {}],
    ["no JSON", { "agentic.dev/pipeline": "{" }],
    ["no pipeline", { "agentic.dev/pipeline": "{}" }],
  ])("whose frozen pipeline is %s has none", (_what, annotations) => {
    expect(viewWorkflow({ ...plain, metadata: { ...plain.metadata, annotations } }).pipeline).toBeUndefined();
  });
});
