import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";

const State = Annotation.Root({
  identity: Annotation<string>,
  /** No later node touches it. */
  page: Annotation<string | undefined>,
  last: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** Five nodes, one after the other, each with one small result; the first also writes `page`. */
export function createFiveNodes(page?: string) {
  return new StateGraph(State)
    .addNode("one", () => ({ last: "one", ...(page ? { page } : {}) }))
    .addNode("two", () => ({ last: "two" }))
    .addNode("three", () => ({ last: "three" }))
    .addNode("four", () => ({ last: "four" }))
    .addNode("five", ({ identity }) => ({
      last: "five",
      // Another result in each run: the object store writes equal bytes only once.
      result: { outcome: "succeeded", output: identity, artifacts: {}, usage: NO_USAGE } as const,
    }))
    .addEdge(START, "one")
    .addEdge("one", "two")
    .addEdge("two", "three")
    .addEdge("three", "four")
    .addEdge("four", "five")
    .addEdge("five", END);
}
