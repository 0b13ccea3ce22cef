import type { Hono } from "hono";
import { createStepApp, type StepAppDeps } from "../../lib/step-app.ts";
import { createGraph, type GraphDeps } from "./graph.ts";

export type ScrapeDeps = StepAppDeps & GraphDeps;

/** Captures one site: rendered DOM, readable text, a viewport and a full-page screenshot. */
export function createApp(deps: ScrapeDeps): Hono {
  return createStepApp("scrape", createGraph(deps), deps);
}
