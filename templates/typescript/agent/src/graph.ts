import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentEdges,
  contextOf,
  NO_USAGE,
  type StepGraph,
  type StepResult,
  SUMMARY,
  type Summary,
  TerminalError,
} from "agentic-kubernetes/agent";

const State = Annotation.Root({
  /** The step's; set at the start. */
  identity: Annotation<string>,
  words: Annotation<number>,
  /** How the step ended; set by the last node. */
  result: Annotation<StepResult | undefined>,
});

/** count → publish. Each node is one effect: what it returns is in Redis before the next node starts. */
export function createGraph({ artifacts }: AgentEdges): StepGraph {
  return new StateGraph(State)
    .addNode("count", (_state, runtime) => {
      const { item } = contextOf(runtime).input;
      if (typeof item !== "string")
        throw new TerminalError("InvalidItem", `expected a text to count the words of, got ${JSON.stringify(item)}`);
      return { words: item.split(/\s+/).filter(Boolean).length };
    })
    .addNode("publish", async ({ words }, runtime) => {
      const { input, workload } = contextOf(runtime);
      const put = (value: unknown) => artifacts.put(workload, JSON.stringify(value), "json");
      const summary: Summary = {
        title: String(input.item).slice(0, 200),
        facts: [{ label: "Words", value: String(words) }],
        pictures: [],
        caveats: [],
      };
      const result: StepResult = {
        outcome: "succeeded",
        output: `${words} words`,
        // What later steps read.
        data: { words },
        // Bytes go to the artifact store. The summary is what reviewers see; the rest is what the run leaves.
        artifacts: { count: await put({ text: input.item, words }), [SUMMARY]: await put(summary) },
        usage: NO_USAGE,
      };
      return { result };
    })
    .addEdge(START, "count")
    .addEdge("count", "publish")
    .addEdge("publish", END);
}
