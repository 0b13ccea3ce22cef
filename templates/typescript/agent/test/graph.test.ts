import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySaver } from "@langchain/langgraph";
import { type AgentEdges, type StepResult, SUMMARY, summarySchema } from "agentic-kubernetes/agent";
import { createGraph } from "../src/graph.js";

const stored = new Map<string, string>();
const artifacts: AgentEdges["artifacts"] = {
  async put({ namespace, uid }, bytes, extension) {
    const key = `${namespace}/${uid}/${stored.size}.${extension}`;
    stored.set(key, String(bytes));
    return key;
  },
  async get(_workload, key) {
    return new TextEncoder().encode(stored.get(key));
  },
  drop: async () => {},
};

/** Runs the graph on one item, its checkpoints in memory. */
async function run(item: unknown): Promise<StepResult | undefined> {
  const graph = createGraph({ artifacts } as AgentEdges).compile({ checkpointer: new MemorySaver() });
  const context = { workload: { namespace: "default", uid: "uid-1" }, input: { item, params: {}, from: {} } };
  const { result } = await graph.invoke({ identity: "one" }, { configurable: { thread_id: "one" }, context });
  return result;
}

test("counts the words of its item, for later steps and for the reviewer", async () => {
  const result = await run("What does it cost?");
  assert.equal(result?.output, "4 words");
  assert.deepEqual(result?.data, { words: 4 });
  assert.deepEqual(JSON.parse(stored.get(result?.artifacts["count"] ?? "") ?? ""), {
    text: "What does it cost?",
    words: 4,
  });
  const summary = summarySchema.parse(JSON.parse(stored.get(result?.artifacts[SUMMARY] ?? "") ?? ""));
  assert.deepEqual(summary.facts, [{ label: "Words", value: "4" }]);
});

test("refuses an item that is no text", async () => {
  await assert.rejects(run({ words: 4 }), /expected a text/);
});
