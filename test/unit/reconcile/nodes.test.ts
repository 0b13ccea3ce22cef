import { gunzipSync, gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { settlePatch, viewWorkflow } from "../../../functions/reconcile/nodes.ts";
import { renderWorkflow, workflowName, workloadOfWorkflow } from "../../../functions/reconcile/workflow.ts";
import { orderFor, specOf, T0, workflowObject } from "./world.ts";

const NOW = new Date("2026-01-01T10:06:00.123Z");
const plain = workflowObject({ nodes: ["scrape/0 Running", "scrape/1 Running"] }, "demo-0123456789");

test("settled nodes are tested for being what was seen", () => {
  const view = viewWorkflow(plain);
  const [first, second] = view.nodes;
  if (!first || !second) throw new Error("two nodes");
  const patch = settlePatch(
    view,
    [
      { node: first, phase: "Succeeded", parameter: "result", value: "succeeded abc" },
      { node: second, phase: "Failed", message: "Timeout: why" },
    ],
    NOW,
  );
  expect(patch).toEqual([
    { op: "test", path: "/status/nodes/id-scrape/0/phase", value: "Running" },
    { op: "test", path: "/status/nodes/id-scrape/0/startedAt", value: T0 },
    { op: "add", path: "/status/nodes/id-scrape/0/phase", value: "Succeeded" },
    { op: "add", path: "/status/nodes/id-scrape/0/finishedAt", value: "2026-01-01T10:06:00Z" },
    {
      op: "add",
      path: "/status/nodes/id-scrape/0/outputs",
      value: { parameters: [{ name: "result", value: "succeeded abc" }] },
    },
    { op: "test", path: "/status/nodes/id-scrape/1/phase", value: "Running" },
    { op: "test", path: "/status/nodes/id-scrape/1/startedAt", value: T0 },
    { op: "add", path: "/status/nodes/id-scrape/1/phase", value: "Failed" },
    { op: "add", path: "/status/nodes/id-scrape/1/finishedAt", value: "2026-01-01T10:06:00Z" },
    { op: "add", path: "/status/nodes/id-scrape/1/message", value: "Timeout: why" },
  ]);
});

test("compressed nodes are read, and written as the one value they are", () => {
  const { nodes, ...status } = plain.status as { nodes: unknown };
  const compressedNodes = gzipSync(JSON.stringify(nodes)).toString("base64");
  const view = viewWorkflow({ ...plain, status: { ...status, compressedNodes } });
  const [first] = view.nodes;
  if (!first) throw new Error("a node");
  const [check, change, ...rest] = settlePatch(
    view,
    [{ node: first, phase: "Succeeded", parameter: "result", value: "v" }],
    NOW,
  );
  expect(check).toEqual({ op: "test", path: "/status/compressedNodes", value: compressedNodes });
  expect(rest).toEqual([]);
  const written = JSON.parse(gunzipSync(Buffer.from(String(change?.value), "base64")).toString("utf8"));
  expect(written[first.id]).toMatchObject({
    phase: "Succeeded",
    outputs: { parameters: [{ name: "result", value: "v" }] },
  });
  expect(written["id-scrape/1"]).toMatchObject({ phase: "Running" });
});

test("the Workflow's name is the run's, and has the workload's in it", () => {
  const order = orderFor(specOf());
  expect(workflowName(order)).toMatch(/^demo-[0-9a-f]{10}$/);
  expect(workloadOfWorkflow(workflowName(order))).toBe("demo");
  expect(workloadOfWorkflow("somebody-elses")).toBeUndefined();
});

test.each([
  ["suspend", { suspend: true }, true],
  ["ttlAfterFinished", { ttlAfterFinished: "1h" }, true],
  ["sites", { sites: ["http://z.example/"] }, false],
  ["objective", { objective: "another question" }, false],
])("another %s is the same run: %s", (_field, over, same) => {
  expect(workflowName(orderFor(specOf(over))) === workflowName(orderFor(specOf()))).toBe(same);
});

test("a Workflow of 500 sites is small before it has nodes", () => {
  const spec = specOf({ sites: Array.from({ length: 500 }, (_, i) => `http://site-${i}.example/${"x".repeat(500)}`) });
  const rendered = renderWorkflow(orderFor(spec), {
    spec: { ...spec, review: { timeout: "24h", onTimeout: "Reject" }, ttlAfterFinished: "30d" },
  } as never);
  expect(JSON.stringify(rendered).length).toBeLessThan(3000);
});
