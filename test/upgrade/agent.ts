/**
 * The agent of the recorded run folders: `node test/upgrade/agent.ts` with the settings of a run's agent.env. Three nodes a step, each of which
 * it writes down in the file LOG. On the item HANG the last one never ends.
 */
import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { contextOf, NO_USAGE, type StepContext, type StepResult, SUMMARY, serveAgent } from "../../agent/index.ts";

const State = Annotation.Root({
  identity: Annotation<string>,
  words: Annotation<string | undefined>,
  result: Annotation<StepResult | undefined>,
});
const { LOG = "", HANG } = process.env;

const begin = ({ step, input }: StepContext, node: string): void =>
  appendFileSync(LOG, `${[step, ...(input.item === undefined ? [] : [input.item]), node].join(" ")}\n`);

await serveAgent({
  name: "worker",
  graph: ({ artifacts }) =>
    new StateGraph(State)
      .addNode("read", async (_state, runtime) => {
        begin(contextOf(runtime), "read");
        return {};
      })
      .addNode("think", async (_state, runtime) => {
        const context = contextOf(runtime);
        begin(context, "think");
        return { words: `${context.step} of ${JSON.stringify(context.input.item ?? null)}` };
      })
      .addNode("write", async ({ words = "" }, runtime) => {
        const context = contextOf(runtime);
        const { workload, input, signal } = context;
        begin(context, "write");
        if (HANG !== undefined && input.item === HANG) await sleep(600_000, undefined, { signal });
        const summary = {
          title: words,
          facts: [{ id: "words", label: "Words", value: words }],
          pictures: [],
          caveats: [],
        };
        const result: StepResult = {
          outcome: "succeeded",
          output: words,
          data: { words },
          artifacts: {
            text: await artifacts.put(workload, words, "txt"),
            [SUMMARY]: await artifacts.put(workload, JSON.stringify(summary), "json"),
          },
          usage: NO_USAGE,
        };
        return { result };
      })
      .addEdge(START, "read")
      .addEdge("read", "think")
      .addEdge("think", "write")
      .addEdge("write", END),
});
