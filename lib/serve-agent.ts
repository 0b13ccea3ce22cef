import { readSettings } from "./config.ts";
import { connectArtifacts, connectModel, connectStep } from "./connect.ts";
import type { StepGraph } from "./durable/durable.ts";
import type { Artifacts } from "./edges/artifacts.ts";
import type { Model } from "./edges/llm.ts";
import { createLog } from "./log.ts";
import { mainProcess } from "./main-process.ts";
import { serve } from "./serve.ts";
import { createStepApp } from "./step-app.ts";

/** What a graph reaches the outside by. */
export interface AgentEdges {
  /** Bytes by content address: what a step leaves for the steps after it. */
  readonly artifacts: Artifacts;
  /** Undefined where no model is configured. */
  readonly model: Model | undefined;
}

export interface Agent {
  /** The step it speaks for, as requests name it. */
  readonly step: string;
  readonly graph: (edges: AgentEdges) => StepGraph;
}

/**
 * Serves one step, the step contract around its graph, until SIGTERM; then lets what runs end its node, and ends the process.
 * Settings come from the environment (lib/config.ts).
 */
export function serveAgent({ step, graph }: Agent): Promise<never> {
  return mainProcess(async () => {
    const settings = readSettings();
    const log = createLog(step, settings.LOG_LEVEL);
    const draining = new AbortController();
    const deps = await connectStep(step, settings, log, draining.signal);
    const edges = { artifacts: await connectArtifacts(settings), model: await connectModel(settings, deps.redis, log) };
    const app = createStepApp(step, graph(edges), deps);
    await serve(app, { host: settings.HOST, port: settings.PORT, log, draining });
  });
}
