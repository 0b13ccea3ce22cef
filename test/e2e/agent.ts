/** An agent of one's own, as the agent package serves it: `node test/e2e/agent.ts` with the settings of a run's agent.env. */
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { contextOf, NO_USAGE, type StepResult, serveAgent } from "../../agent/index.ts";

const State = Annotation.Root({ identity: Annotation<string>, result: Annotation<StepResult | undefined> });

await serveAgent({
  name: "worker",
  graph: ({ artifacts, browser }) =>
    new StateGraph(State)
      .addNode("work", async (_state, runtime) => {
        const { step, input, workload, signal } = contextOf(runtime);
        const before = async (): Promise<string> => {
          const { workload: by, result } = input.previous ?? {};
          if (!by || !result?.artifacts["text"]) return "";
          return `\nbefore: ${new TextDecoder().decode(await artifacts.get(by, result.artifacts["text"]))}`;
        };
        const done = async (over: Partial<StepResult> = {}): Promise<{ result: StepResult }> => ({
          result: {
            outcome: "succeeded",
            artifacts: {
              text: await artifacts.put(workload, `${step} ${JSON.stringify(input)}${await before()}`, "txt"),
            },
            usage: NO_USAGE,
            ...over,
          },
        });
        switch (step) {
          case "find":
            return done({ items: ["a", { url: "https://b.example/" }], data: { browser: await browser.userAgent() } });
          case "wait":
            await sleep(600_000, undefined, { signal });
            return done();
          default:
            return done({ output: `did ${step}` });
        }
      })
      .addEdge(START, "work")
      .addEdge("work", END),
});
