import { SpanKind } from "@opentelemetry/api";
import { inSpan } from "../telemetry/span.ts";
import type { StepGraph } from "./durable.ts";

/** What LangGraph's StateGraph keeps of its nodes. */
interface NodeSpec {
  readonly runnable: Runnable;
}
interface Runnable {
  invoke(input: unknown, options?: unknown): Promise<unknown>;
}

/**
 * The graph with a span around each node: what a node does, and spans that it starts itself, are below it. A copy, for a graph is shared by
 * all steps of its agent. A graph of another kind than StateGraph is left as it is.
 */
export function traced(graph: StepGraph): StepGraph {
  const { nodes } = graph as StepGraph & { readonly nodes?: Readonly<Record<string, NodeSpec>> };
  if (nodes === undefined) return graph;
  const tracedNodes = Object.entries(nodes).map(([name, node]) => [name, { ...node, runnable: inNode(name, node) }]);
  return Object.assign(Object.create(Object.getPrototypeOf(graph)), graph, { nodes: Object.fromEntries(tracedNodes) });
}

function inNode(name: string, { runnable }: NodeSpec): Runnable {
  const attributes = { "agentic.node": name };
  return Object.assign(Object.create(runnable), {
    invoke: (input: unknown, options?: unknown) =>
      inSpan(`node ${name}`, { kind: SpanKind.INTERNAL, attributes }, () => runnable.invoke(input, options)),
  });
}
