import { z } from "zod";
import { usageSchema, workloadRefSchema } from "../../lib/step.ts";
import { analysisSchema } from "../../pipeline/analysis.ts";
import { captureSchema } from "../../pipeline/capture.ts";
import { decisionSchema } from "../../pipeline/findings.ts";

/** Ids such as "s3" of the sites a statement rests on. */
const sitesSchema = z.array(z.string()).describe("Ids of the competitors that the statement rests on.");

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
  free: z.boolean().describe("Names an offer at no cost."),
  themes: z.array(z.string()).describe("What its claims are about."),
  breadth: z.int().min(0).describe("How many distinct features its offers name."),
  calls: z.array(z.string()).describe("What it asks a visitor to do, by kind."),
});
export type Competitor = z.infer<typeof competitorSchema>;

export const dossierSchema = z.strictObject({
  version: z.literal(1),
  workload: workloadRefSchema,
  run: z.string(),
  objective: z.string(),
  date: z.iso.datetime().describe("When the review was decided: the report says nothing newer."),
  analyst: z.strictObject({
    extractive: z.int().min(0).describe("Sites read by rules, without a model."),
    models: z.array(z.string()).describe("Models that read the others."),
  }),
  currency: z.string().describe("The currency that most prices are in; empty without prices."),
  keyFigures: z.array(z.strictObject({ label: z.string(), value: z.string(), note: z.string() })),
  prices: z
    .array(ladderEntrySchema)
    .describe("Every offer with a price, cheapest month first, then those that do not compare."),
  standouts: z.array(insightSchema),
  gaps: z.array(insightSchema).describe("What the market leaves open, strongest first."),
  saturated: z.array(insightSchema).describe("What nearly all say or do: it does not set anyone apart."),
  competitors: z.array(competitorSchema),
  failures: z.array(z.strictObject({ item: z.string(), step: z.string(), reason: z.string(), message: z.string() })),
  review: decisionSchema.extend({
    automatic: z.boolean().describe("Nobody looked: the run was told to approve by itself, or a timeout decided."),
  }),
  usage: usageSchema.describe("What scraping and analysis cost."),
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
  claims: z.array(insightSchema).describe("What the answer rests on; each names its sites."),
  usage: usageSchema.describe("What writing this cost."),
  caveats: z.array(z.string()),
});
export type Narrative = z.infer<typeof narrativeSchema>;

/** report.json: everything that the page shows, without the pictures. */
export const reportSchema = dossierSchema.extend({ narrative: narrativeSchema }).meta({
  title: "Market analysis report",
  description: "report.json of a market analysis. Amounts are in units of the currency, times in UTC.",
});
export type Report = z.infer<typeof reportSchema>;

/** JSON Schema (2020-12) of report.json, published as docs/report.schema.json. */
export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema) as Record<string, unknown>;
}
