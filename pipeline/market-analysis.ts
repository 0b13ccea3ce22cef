import type { Pipeline } from "./pipeline.ts";

/** Visual Market Analysis: capture each competitor's page, analyze it, let a human look, write the report. */
export const marketAnalysis: Pipeline = {
  name: "market-analysis",
  steps: [
    { name: "scrape", forEach: "sites", after: [], params: [], deadline: "site" },
    { name: "analyze", forEach: "sites", after: ["scrape"], params: ["objective", "model"], deadline: "site" },
    { name: "review", after: ["analyze"], params: [], deadline: "run", gate: true },
    { name: "report", after: ["review"], params: ["objective", "model"], deadline: "run" },
  ],
};
