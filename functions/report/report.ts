import { z } from "zod";
import { finalDecisionSchema } from "../../engine/findings.ts";
import { usageSchema, workloadRefSchema } from "../../engine/result.ts";
import { analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { captureSchema } from "../../pipelines/market-analysis/capture.ts";

const sitesSchema = z.array(z.string()).describe('Ids of the competitors that the statement rests on, such as "s3".');

const insightSchema = z.strictObject({
  title: z.string().min(1),
  text: z.string().min(1),
  sites: sitesSchema,
});
export type Insight = z.infer<typeof insightSchema>;

const ladderEntrySchema = z.strictObject({
  site: z.string().describe("Competitor id."),
  offer: z.string(),
  original: z.string().describe('As the page gives it, in words: "$29 per user a month".'),
  monthly: z
    .number()
    .nullable()
    .describe(
      "In the report's currency for one month; null where it cannot be compared: another currency, one-off, by the hour.",
    ),
  per: z.string().optional().describe("What the price counts, e.g. user."),
  from: z.boolean().describe("The amount is only a lower bound."),
});
export type LadderEntry = z.infer<typeof ladderEntrySchema>;

const competitorSchema = z.strictObject({
  id: z.string(),
  label: z.string().describe("The name, made unique by the host where two share it."),
  item: z.string().describe("The site as the workload names it."),
  analysis: analysisSchema,
  capture: captureSchema.pick({
    finalUrl: true,
    redirects: true,
    status: true,
    title: true,
    lang: true,
    capturedAt: true,
    timings: true,
    truncated: true,
    consentClosed: true,
    robots: true,
    egress: true,
  }),
  entryMonthly: z.number().nullable().describe("Lowest paid monthly price in the report's currency; null without one."),
  entryPer: z.string().optional().describe("What that price counts, e.g. user; absent for a flat price."),
  free: z.boolean().describe("Whether it has an offer at no cost."),
  themes: z.array(z.string()).describe("What its claims are about: of a fixed list."),
  breadth: z.int().min(0).describe("How many distinct features its offers name."),
  calls: z.array(z.string()).describe("What it asks a visitor to do, by kind."),
});
export type Competitor = z.infer<typeof competitorSchema>;

export const dossierSchema = z.strictObject({
  version: z.literal(1),
  workload: workloadRefSchema,
  run: z.string(),
  objective: z.string(),
  date: z.iso.datetime().describe("When the review was decided: everything in the report is from before."),
  analyst: z.strictObject({
    extractive: z.int().min(0).describe("Sites analyzed by rules, without a model."),
    models: z.array(z.string()).describe("Models that analyzed the others."),
  }),
  currency: z.string().describe("The currency of most prices; empty without prices."),
  keyFigures: z.array(z.strictObject({ label: z.string(), value: z.string(), note: z.string() })),
  prices: z
    .array(ladderEntrySchema)
    .describe("Every offer with a price, cheapest month first, then those that do not compare."),
  standouts: z.array(insightSchema),
  gaps: z.array(insightSchema).describe("What the market leaves open, strongest first."),
  saturated: z.array(insightSchema).describe("What nearly all say or do."),
  competitors: z.array(competitorSchema),
  failures: z.array(z.strictObject({ item: z.string(), step: z.string(), reason: z.string(), message: z.string() })),
  review: finalDecisionSchema.describe("How the findings were approved, and whether a person did."),
  usage: usageSchema.describe("What scraping and analysis cost."),
  trace: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where the trace of the run is looked at."),
  caveats: z.array(z.string()),
});
export type Dossier = z.infer<typeof dossierSchema>;

export const narrativeSchema = z.strictObject({
  author: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("rules") }),
    z.strictObject({ kind: z.literal("model"), model: z.string() }),
  ]),
  answer: z.string().min(1).describe("The answer to the objective, in a paragraph with figures."),
  recommendation: z.string().min(1),
  claims: z.array(insightSchema).describe("What the answer rests on."),
  usage: usageSchema.describe("What writing the narrative cost."),
  caveats: z.array(z.string()),
});
export type Narrative = z.infer<typeof narrativeSchema>;

/** report.json: all that the page shows, without the pictures. */
export const reportSchema = dossierSchema.extend({ narrative: narrativeSchema }).meta({
  title: "Market analysis report",
  description: "report.json of a market analysis. Amounts are in units of the currency, times in UTC.",
});
export type Report = z.infer<typeof reportSchema>;

/** JSON Schema (2020-12) of report.json, published as docs/report.schema.json. */
export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema) as Record<string, unknown>;
}
