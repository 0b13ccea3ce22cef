import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import {
  type AgentEdges,
  contextOf,
  NO_USAGE,
  type StepGraph,
  type StepResult,
  TerminalError,
} from "agentic-kubernetes/agent";

const State = Annotation.Root({
  /** The step's, given at the start. */
  identity: Annotation<string>,
  words: Annotation<number>,
  /** Set by the last node: how the step ended. */
  result: Annotation<StepResult | undefined>,
});

/** count → publish. A node is one effect, and its outcome is in Redis before the next one starts. */
export function createGraph({ artifacts }: AgentEdges): StepGraph {
  return new StateGraph(State)
    .addNode("count", async (_state, runtime) => {
      const { objective } = contextOf(runtime).input.params;
      if (typeof objective !== "string")
        throw new TerminalError("InvalidInput", "params.objective: a text is expected");
      return { words: objective.split(/\s+/).filter(Boolean).length };
    })
    .addNode("publish", async ({ words }, runtime) => {
      const { workload } = contextOf(runtime);
      // State and result stay small: bytes go to the artifact store.
      const count = await artifacts.put(workload.uid, JSON.stringify({ words }), "json");
      const result: StepResult = {
        outcome: "succeeded",
        output: `${words} words`,
        artifacts: { count },
        usage: NO_USAGE,
      };
      return { result };
    })
    .addEdge(START, "count")
    .addEdge("count", "publish")
    .addEdge("publish", END);
}
