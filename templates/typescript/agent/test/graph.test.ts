import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySaver } from "@langchain/langgraph";
import type { AgentEdges } from "agentic-kubernetes/agent";
import { createGraph } from "../src/graph.js";

test("counts the objective's words and publishes the count", async () => {
  const stored: string[] = [];
  const artifacts: AgentEdges["artifacts"] = {
    async put(scope, bytes) {
      stored.push(String(bytes));
      return `${scope}/count.json`;
    },
    get: () => Promise.reject(new Error("nothing is read")),
    drop: async () => {},
  };
  const graph = createGraph({ artifacts, model: undefined }).compile({ checkpointer: new MemorySaver() });
  const { result } = await graph.invoke(
    { identity: "one" },
    {
      configurable: { thread_id: "one" },
      context: { workload: { uid: "uid-1" }, input: { params: { objective: "What does it cost?" } } },
    },
  );
  assert.equal(result?.output, "4 words");
  assert.deepEqual(result?.artifacts, { count: "uid-1/count.json" });
  assert.deepEqual(stored, ['{"words":4}']);
});
