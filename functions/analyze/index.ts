import type { Hono } from "hono";
import { createStepApp, type StepAppDeps } from "../../lib/step-app.ts";
import { createGraph, type GraphDeps } from "./graph.ts";

export type AnalyzeDeps = StepAppDeps & GraphDeps;

/** Turns one capture into one schema-checked analysis, each finding with its evidence. */
export function createApp(deps: AnalyzeDeps): Hono {
  return createStepApp("analyze", createGraph(deps), deps);
}
