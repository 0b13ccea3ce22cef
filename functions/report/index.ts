import type { Hono } from "hono";
import { createStepApp, type StepAppDeps } from "../../lib/step-app.ts";
import { createGraph, type ReportEdges } from "./graph.ts";

export type ReportDeps = StepAppDeps & ReportEdges;

/** Writes the report of an approved run: HTML, Markdown, JSON and PDF. */
export function createApp(deps: ReportDeps): Hono {
  return createStepApp("report", createGraph(deps), deps);
}
