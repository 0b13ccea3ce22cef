import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { CloudEvent, HTTP } from "cloudevents";
import { z } from "zod";
import { type Item, NO_USAGE, type StepResult } from "../../../engine/result.ts";
import type { AgentEdges } from "../../../lib/connect.ts";
import { contextOf, type StepContext, type StepGraph } from "../../../lib/durable/durable.ts";
import { serveAgent } from "../../../lib/serve-agent.ts";
import { drawnAnswer } from "./drawn-answer.ts";

/** Beside those of every agent (lib/config.ts). */
const settingsSchema = z.object({
  /** How long each step takes. */
  STEP_MS: z.coerce.number().int().min(0).default(0),
  /** Size of an artifact that differs at each execution; 0: none. */
  RANDOM_BYTES: z.coerce.number().int().min(0).default(0),
  /** Where each execution is reported, as an event of type test.executed. */
  REPORT_TO: z.url().optional(),
});
type Settings = z.infer<typeof settingsSchema>;

/** What a step's `with` may ask for. */
const paramsSchema = z.looseObject({
  /** Number of items that the step returns; with an item of its own, its URL is their prefix. */
  returns: z.int().min(0).optional(),
  /** How the step ends and what it returns, as drawn. */
  draw: z.object({ numbers: z.array(z.number()), failureRate: z.number() }).optional(),
});

const State = Annotation.Root({
  identity: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** An agent whose steps wait and do nothing else: what a benchmark or a test then sees is everything around them. */
export function serveTestAgent(env: Readonly<Record<string, string | undefined>>): Promise<never> {
  const settings = settingsSchema.parse(env);
  return serveAgent({ name: "test-agent", graph: (edges) => waiting(settings, edges) });
}

function waiting(settings: Settings, { artifacts }: AgentEdges): StepGraph {
  const { STEP_MS, RANDOM_BYTES, REPORT_TO } = settings;
  return new StateGraph(State)
    .addNode("wait", async (_state, runtime) => {
      const context = contextOf(runtime);
      const { input, signal, step, workload } = context;
      if (REPORT_TO !== undefined) await reportExecution(REPORT_TO, context, await previousOf(artifacts, context));
      await sleep(STEP_MS, undefined, { signal });
      const { returns, draw } = paramsSchema.parse(input.params);
      const random: Record<string, string> =
        RANDOM_BYTES === 0 ? {} : { random: await artifacts.put(workload, randomBytes(RANDOM_BYTES), "txt") };
      const result: StepResult = {
        outcome: "succeeded",
        output: `waited ${STEP_MS} ms`,
        artifacts: random,
        usage: NO_USAGE,
        ...(returns === undefined ? {} : { items: itemsOf(input.item, returns) }),
      };
      return { result: draw ? { ...drawnAnswer(draw, { workload, step, input }), artifacts: random } : result };
    })
    .addEdge(START, "wait")
    .addEdge("wait", END);
}

function itemsOf(item: Item | undefined, count: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({ of: item ?? null, index }));
}

/** Whose result the step was told of, and how many of its bytes it can read. */
async function previousOf(artifacts: AgentEdges["artifacts"], { input: { previous } }: StepContext) {
  const key = previous?.result.artifacts["random"];
  if (!previous || key === undefined) return {};
  const { length } = await artifacts.get(previous.workload, key);
  return { previous: { workload: previous.workload.name, bytes: length } };
}

async function reportExecution(
  url: string,
  { workload, step, input, signal }: StepContext,
  previous: object,
): Promise<void> {
  const event = new CloudEvent({
    type: "test.executed",
    source: "/test-agent",
    data: { uid: workload.uid, step, ...(input.item === undefined ? {} : { item: input.item }), ...previous },
  });
  const { headers, body } = HTTP.structured(event);
  const answer = await fetch(url, {
    method: "POST",
    headers: headers as Record<string, string>,
    body: body as string,
    signal,
  });
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}`);
}
