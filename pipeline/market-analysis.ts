import type { Pipeline } from "./pipeline.ts";

/** What the report may cost: a narrative of 2,000 tokens over a briefing of 20,000, by gpt-4o-mini at $0.15 and $0.60 per million. */
export const REPORT_USD = 0.0042;

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
