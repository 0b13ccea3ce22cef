import type { AgentEdges } from "./lib/connect.ts";
import type { StepGraph } from "./lib/durable/durable.ts";

/** Makes the graph of an agent's steps. */
export type MakeGraph = (edges: AgentEdges) => StepGraph;

/** The agents that this image holds, by FUNCTION. Modules are loaded by whoever serves them: a process, or the run on one machine. */
const AGENTS: Readonly<Record<string, () => Promise<MakeGraph>>> = {
  scrape: async () => (await import("./functions/scrape/graph.ts")).createGraph,
  analyze: async () => (await import("./functions/analyze/graph.ts")).createGraph,
  report: async () => (await import("./functions/report/graph.ts")).createGraph,
};

/** @returns undefined for a name that is none of them */
export async function agentGraph(name: string): Promise<MakeGraph | undefined> {
  return Object.hasOwn(AGENTS, name) ? AGENTS[name]?.() : undefined;
}

export const AGENT_FUNCTIONS: readonly string[] = Object.keys(AGENTS);
