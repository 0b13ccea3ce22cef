import { createAgentApp } from "./agent-app.ts";
import { readSettings } from "./config.ts";
import { type AgentEdges, connectAgent } from "./connect.ts";
import type { StepGraph } from "./durable/durable.ts";
import { createLog } from "./log.ts";
import { mainProcess } from "./main-process.ts";
import { serve } from "./serve.ts";
import { startTelemetry } from "./telemetry/start.ts";

export interface ServedAgent {
  /** For logs and leases. */
  readonly name: string;
  /** The graph of its steps; nodes find the step's name and input in their context. */
  readonly graph: (edges: AgentEdges) => StepGraph;
}

/**
 * Serves an agent, the step contract around its graph, until SIGTERM; then lets what runs end its node, and ends the process.
 * Settings come from the environment (lib/config.ts).
 */
export function serveAgent({ name, graph }: ServedAgent): Promise<never> {
  return mainProcess(async () => {
    const settings = readSettings();
    const log = createLog(name, settings.LOG_LEVEL);
    const draining = new AbortController();
    const telemetry = await startTelemetry(name, settings, log);
    const { edges, ...deps } = await connectAgent(name, settings, log, draining.signal);
    const app = createAgentApp(graph(edges), deps);
    await serve(app, { host: settings.HOST, port: settings.PORT, log, draining, telemetry });
  });
}
