import { z } from "zod";
import { usageSchema } from "../../engine/result.ts";
import { pageKindSchema } from "./capture.ts";

/** A rectangle of the full page's picture, in CSS pixels from its top left corner. */
export const boxSchema = z.strictObject({
  x: z.number().min(0),
  y: z.number().min(0),
  width: z.number().positive(),
  height: z.number().positive(),
});

/** Where a finding stands on the page: the text that says it, and the picture that shows it. */
const evidenceSchema = z.strictObject({
  /** Quoted from the page, at most 300 characters. */
  text: z.string().max(300),
  /** Artifact key of the screenshot. */
  screenshot: z.string(),
  /** Address of the page, after redirects. */
  url: z.string(),
  /** When the page was captured. */
  at: z.iso.datetime(),
  /** Artifact key of the full page's picture, and the part of it that shows the text; absent where the text is not drawn. */
  crop: z.strictObject({ image: z.string(), box: boxSchema }).optional(),
  /** The tab or switch of the page that shows the text, once it is pressed. */
  pressed: z.string().max(100).optional(),
  /** What says it, where it is not the text that a visitor reads. */
  source: z.enum(["structured data", "picture"]).optional(),
  /** The reviewer who says otherwise than the text: the finding's value is theirs. */
  correctedBy: z.string().max(256).optional(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

const statementSchema = z.strictObject({ value: z.string().min(1), evidence: evidenceSchema });

export const priceSchema = z.strictObject({
  /** In units of the currency, e.g. 29.9; 0 for a free offer. */
  amount: z.number().min(0),
  /** ISO 4217. */
  currency: z.string().length(3),
  period: z.enum(["month", "year", "week", "day", "hour", "once"]),
  /** What is counted, e.g. "user" or "seat"; absent for a flat price. */
  per: z.string().optional(),
  /** True for "from $9", where the amount is only a lower bound. */
  from: z.boolean(),
  /** How it is paid, where that is another period: "$8 per month, billed yearly". */
  billed: z.enum(["month", "year"]).optional(),
});
export type Price = z.infer<typeof priceSchema>;

/** What analyze found on one page of a site: artifact `analysis` (JSON). */
export const analysisSchema = z.strictObject({
  /** As the workload names it: pages of one site have it in common. */
  site: z.string(),
  /** Which of the site's pages. */
  page: z.strictObject({ url: z.string(), kind: pageKindSchema }).optional(),
  /** Brand name as the page gives it. */
  name: z.string().min(1),
  analyst: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("extractive") }),
    z.strictObject({ kind: z.literal("model"), model: z.string() }),
  ]),
  /** The main claim; null where the page makes none. */
  positioning: statementSchema.nullable(),
  audience: z.array(statementSchema),
  offers: z.array(
    z.strictObject({
      name: z.string().min(1),
      /** Null: the page names no price ("contact us"). */
      price: priceSchema.nullable(),
      /** The same offer paid for otherwise, e.g. by the year. */
      alternatives: z.array(priceSchema).optional(),
      /** The regular price, where `price` is a promotion. */
      listPrice: priceSchema.optional(),
      /** Of a free trial. */
      trialDays: z.int().positive().optional(),
      features: z.array(z.string()),
      evidence: evidenceSchema,
    }),
  ),
  callsToAction: z.array(
    z.strictObject({
      text: z.string().min(1),
      target: z.string().optional(),
      /** How it stands out on its page. */
      prominence: z.enum(["primary", "secondary"]).optional(),
      place: z.enum(["header", "hero", "body", "footer"]).optional(),
      evidence: evidenceSchema,
    }),
  ),
  proof: z.array(
    statementSchema.extend({ kind: z.enum(["testimonial", "customer", "metric", "rating", "award", "guarantee"]) }),
  ),
  technology: z.array(statementSchema),
  design: z.strictObject({
    /** Most used first; share of the screenshot's pixels, 0 to 1. */
    palette: z.array(z.strictObject({ hex: z.string().regex(/^#[0-9a-f]{6}$/), share: z.number().min(0).max(1) })),
    /** Short words for what is there, e.g. "hero", "pricing table", "3 columns". */
    layout: z.array(z.string()),
    screenshot: z.string(),
  }),
  /** What a reader of the report must know of this analysis, e.g. "the page tries to instruct the reader's model". */
  caveats: z.array(z.string()),
  /** What the analysis cost; nothing without a model. */
  usage: usageSchema,
});
export type Analysis = z.infer<typeof analysisSchema>;
