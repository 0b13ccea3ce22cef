import { z } from "zod";
import { finalDecisionSchema } from "../../engine/findings.ts";
import { usageSchema, workloadRefSchema } from "../../engine/result.ts";
import { analysisSchema, boxSchema, priceSchema } from "../../pipelines/market-analysis/analysis.ts";
import { captureSchema, pageKindSchema } from "../../pipelines/market-analysis/capture.ts";

const sitesSchema = z.array(z.string()).describe('Ids of the competitors that the statement rests on, such as "s3".');
const citedSchema = z.array(z.string()).describe('Numbers of the claims that the statement rests on, such as "c12".');

const confidenceSchema = z
  .enum(["high", "medium", "low"])
  .describe("By how many sites were compared, how many of the named ones were read, and by whom.");
export type Confidence = z.infer<typeof confidenceSchema>;

const insightSchema = z.strictObject({
  title: z.string().min(1),
  text: z.string().min(1),
  sites: sitesSchema,
  claims: citedSchema,
  confidence: confidenceSchema,
});
export type Insight = z.infer<typeof insightSchema>;

const ladderEntrySchema = z.strictObject({
  site: z.string().describe("Competitor id."),
  offer: z.string(),
  claim: z.string().describe("Number of the claim that says it."),
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

const sitePageSchema = z.strictObject({
  id: z.string().describe('Such as "s3p2".'),
  url: z.string().describe("As it was named or discovered."),
  kind: pageKindSchema,
  analyst: analysisSchema.shape.analyst,
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
});
export type SitePage = z.infer<typeof sitePageSchema>;

const competitorSchema = z.strictObject({
  id: z.string(),
  label: z.string().describe("The name, made unique by the host where two share it."),
  item: z.string().describe("The site as the workload names it."),
  pages: z.array(sitePageSchema).min(1).describe("The pages that were read, the named one first."),
  analysis: analysisSchema.describe("What all its pages say; each finding's evidence says on which page it stands."),
  entryMonthly: z.number().nullable().describe("Lowest paid monthly price in the report's currency; null without one."),
  entryPer: z.string().optional().describe("What that price counts, e.g. user; absent for a flat price."),
  entryClaim: z.string().optional().describe("Number of the claim that names that price."),
  free: z.boolean().describe("Whether it has an offer at no cost."),
  themes: z.array(z.string()).describe("What its claims are about: of a fixed list."),
  breadth: z.int().min(0).describe("How many distinct features its offers name."),
  calls: z.array(z.string()).describe("What it asks a visitor to do, by kind."),
});
export type Competitor = z.infer<typeof competitorSchema>;

const claimSchema = z.strictObject({
  id: z.string().describe('Its number in this report, such as "c12"; the next report may number it otherwise.'),
  site: z.string().describe("Competitor id."),
  key: z.string().describe("Unique on its site, and the same in the next run: what is compared."),
  field: z.enum(["positioning", "audience", "offers", "callsToAction", "proof", "technology"]),
  kind: analysisSchema.shape.proof.element.shape.kind.optional().describe("Of proof."),
  subject: z.string().describe("What it is about: an offer's name, else the field."),
  value: z.string(),
  price: priceSchema.nullable().optional().describe("Of an offer; null where it names none."),
  details: z.record(z.string(), z.string()).describe("What else it says, by field: an offer's trial, regular price."),
  quote: z.string().describe("The text that says it."),
  url: z.string().describe("The page that it is taken from."),
  at: z.iso.datetime().describe("When that page was captured."),
  pages: z.array(z.string()).describe("Ids of all pages that say it."),
  crop: z.strictObject({ image: z.string(), box: boxSchema }).optional(),
  analyst: z.string().describe('"rules", or the model that found it.'),
  correctedBy: z.string().optional().describe("The reviewer who says otherwise than the page."),
  status: z.enum(["new", "same", "changed", "notComparable"]).optional().describe("Against the earlier report."),
});
export type NumberedClaim = z.infer<typeof claimSchema>;

const coverageSchema = z.strictObject({
  site: z.string().describe("As the workload names it."),
  url: z.string(),
  kind: pageKindSchema,
  state: z.enum(["read", "capped", "blocked", "robots", "consent", "login", "locale", "failed"]),
  reason: z.string().describe("As the step gave it; empty where the page was read in full."),
  message: z.string(),
});
export type Coverage = z.infer<typeof coverageSchema>;

const changeSchema = z.strictObject({
  site: z.string().describe("As the workload names it."),
  label: z.string(),
  status: z.enum(["new", "changed", "removed", "notComparable"]),
  field: z.string().describe('What changed: "price", "positioning", "trial", "site" and so on.'),
  subject: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  url: z.string().optional().describe("The page that says it, or said it."),
  claim: z.string().optional().describe("Number of the claim in this report."),
  material: z
    .boolean()
    .describe("Whether a strategist acts on it: prices, offers, positioning, trials, guarantees, blocks."),
  sentence: z.string(),
});
export type Change = z.infer<typeof changeSchema>;

const statusSchema = z.enum(["new", "same", "changed", "removed", "notComparable"]);
export type Status = z.infer<typeof statusSchema>;

const changesSchema = z.strictObject({
  since: z.iso.datetime().describe("The date of the report that this one is compared with."),
  run: z.string(),
  workload: workloadRefSchema,
  sites: z.array(z.strictObject({ site: z.string(), label: z.string(), status: statusSchema })),
  pages: z.array(z.strictObject({ site: z.string(), url: z.string(), status: statusSchema })),
  list: z.array(changeSchema).describe("Material ones first."),
  same: z.int().min(0).describe("Claims that are as they were."),
  noise: z.int().min(0).describe("Differences left out: dates, counters, quotations that rotate."),
  omitted: z.int().min(0).describe("Changes beyond those that are listed."),
});
export type Changes = z.infer<typeof changesSchema>;

const priceSeriesSchema = z.strictObject({
  site: z.string().describe("As the workload names it."),
  label: z.string(),
  offer: z.string(),
  key: z.string().describe("The claim's key."),
  points: z
    .array(z.strictObject({ at: z.iso.datetime(), price: priceSchema.nullable() }))
    .describe("Beginning and end of each price, oldest first; null: the offer names no price, or is gone."),
});
export type PriceSeries = z.infer<typeof priceSeriesSchema>;

export const dossierSchema = z.strictObject({
  version: z.literal(2),
  workload: workloadRefSchema,
  run: z.string(),
  objective: z.string(),
  date: z.iso.datetime().describe("When the review was decided: everything in the report is from before."),
  analyst: z.strictObject({
    extractive: z.int().min(0).describe("Sites of which rules, without a model, read every page."),
    models: z.array(z.string()).describe("Models that read the others."),
  }),
  currency: z.string().describe("The currency of most prices; empty without prices."),
  keyFigures: z.array(z.strictObject({ label: z.string(), value: z.string(), note: z.string() })),
  changes: changesSchema.nullable().describe("Null: there is no earlier report to compare with."),
  prices: z
    .array(ladderEntrySchema)
    .describe("Every offer with a price, cheapest month first, then those that do not compare."),
  history: z.array(priceSeriesSchema).describe("Prices over all runs that were compared one after the other."),
  standouts: z.array(insightSchema),
  gaps: z.array(insightSchema).describe("What the market leaves open, strongest first."),
  saturated: z.array(insightSchema).describe("What nearly all say or do."),
  competitors: z.array(competitorSchema),
  claims: z.array(claimSchema).describe("Every finding, numbered: what statements cite."),
  coverage: z.array(coverageSchema).describe("Every page that the run was to read, and what came of it."),
  review: finalDecisionSchema.describe("How the findings were approved, and whether a person did."),
  usage: usageSchema.describe("What scraping and analysis cost."),
  trace: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("Where the trace of the run is looked at."),
  caveats: z.array(z.string()),
});
export type Dossier = z.infer<typeof dossierSchema>;

/** As far as the next run's report compares itself with it. */
export const earlierReportSchema = z.object({
  version: z.literal(2),
  workload: workloadRefSchema,
  run: z.string(),
  date: z.iso.datetime(),
  competitors: z.array(z.object(competitorSchema.pick({ id: true, label: true, item: true, pages: true }).shape)),
  claims: z.array(claimSchema),
  coverage: z.array(coverageSchema),
  history: z.array(priceSeriesSchema),
});
export type EarlierReport = z.infer<typeof earlierReportSchema>;

export const narrativeSchema = z.strictObject({
  author: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("rules") }),
    z.strictObject({ kind: z.literal("model"), model: z.string() }),
  ]),
  answer: z
    .string()
    .min(1)
    .describe("The answer to the objective, in a paragraph with figures; cites claims as [c12]."),
  recommendation: z.string().min(1).describe("Cites claims as the answer does."),
  confidence: confidenceSchema,
  claims: z.array(insightSchema).describe("What the answer rests on."),
  usage: usageSchema.describe("What writing the narrative cost."),
  caveats: z.array(z.string()),
});
export type Narrative = z.infer<typeof narrativeSchema>;

/** report.json: all that the page shows, without the pictures. */
export const reportSchema = dossierSchema.extend({ narrative: narrativeSchema }).meta({
  title: "Market analysis report",
  description:
    "report.json of a market analysis, version 2. Amounts are in units of the currency, times in UTC. Version 1 had one page a site and no numbered claims.",
});
export type Report = z.infer<typeof reportSchema>;

/** JSON Schema (2020-12) of report.json, published as docs/report.schema.json. */
export function reportJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(reportSchema) as Record<string, unknown>;
}
