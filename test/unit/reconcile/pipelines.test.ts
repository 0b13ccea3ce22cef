import { describe, expect, test } from "vitest";
import { createHarness, done, keyOf, pipelineOf } from "./harness.ts";

const chain = pipelineOf({
  inputs: {
    schema: {
      type: "object",
      required: ["items"],
      properties: { items: { type: "array" }, question: { type: "string" } },
    },
  },
  steps: [
    { name: "fetch", agent: "fetch", forEach: "inputs.items", egress: { item: true } },
    { name: "read", agent: "read", after: ["fetch"], forEach: "inputs.items", with: ["question", "model"] },
    { name: "review", after: ["read"], gate: { show: ["read"] } },
    { name: "write", agent: "write", after: ["review"], with: ["question"] },
  ],
});
const inputs = { items: ["http://a.example/", "http://b.example/", "http://c.example/"], question: "why?" };

describe("a run to its end", () => {
  test("through fan-out, gate and report", async () => {
    const world = createHarness({
      pipeline: chain,
      spec: { inputs },
      answer: ({ step }) => done({ output: step, artifacts: { [step]: keyOf(step) } }),
    });
    await world.settle({ decision: "approved" });
    expect(world.status).toMatchObject({
      phase: "Succeeded",
      items: { total: 3, done: 3, failed: 0, progress: "3/3" },
      outputs: { write: keyOf("write") },
    });
    expect(world.executions.size).toBe(7);
  });
});
