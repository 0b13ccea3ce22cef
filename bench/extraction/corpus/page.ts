import { z } from "zod";

/** A package of the npm registry that pages of the corpus are from. Its files are fetched, not committed. */
export const packageSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  /** Of the tarball, as the registry gives it: sha512-... */
  integrity: z.string().regex(/^sha512-/),
  /** SPDX; one that lets anybody use and show the page. */
  licence: z.enum([
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "CC0-1.0",
    "CC-BY-3.0",
    "CC-BY-4.0",
    "0BSD",
  ]),
  /** The folder in the package that is the site's root; "." for all of it. */
  root: z.string(),
  /** A kit of web components: its own examples, as its README has them below "## Examples", are the page /examples with this script. */
  examples: z.strictObject({ readme: z.string(), script: z.string() }).optional(),
  /** Answers each path that has no file: client-side routing. */
  fallback: z.string().startsWith("/").optional(),
  /** Other packages' folders below this site, by the path that its pages ask for them, e.g. /node_modules/lit. They are listed like this one, with "root". */
  mounts: z.record(z.string().startsWith("/"), z.string()).optional(),
});
export type CorpusPackage = z.infer<typeof packageSchema>;

const priceSchema = z.strictObject({
  amount: z.number().min(0),
  /** ISO 4217; XXX where the page shows none. */
  currency: z.string().length(3),
  period: z.enum(["month", "year", "week", "day", "hour", "once"]),
  per: z.string().optional(),
  from: z.boolean(),
});

/** What a person sees on the rendered page. */
const truthSchema = z.strictObject({
  /** Texts that say the main claim, the best first; empty where the page makes none. */
  positioning: z.array(z.string()),
  audience: z.array(z.string()),
  offers: z.array(
    z.strictObject({
      name: z.string(),
      /** As first seen; null: on request. */
      price: priceSchema.nullable(),
      /** The crossed-out price beside it, in the same currency. */
      listPrice: z.number().optional(),
      /** What a switch on the page shows in place of `price`. */
      otherPrices: z.array(priceSchema).optional(),
      /** In the page's words, e.g. "14-day free trial". */
      trial: z.string().optional(),
    }),
  ),
  callsToAction: z.array(z.strictObject({ text: z.string(), primary: z.boolean(), target: z.string().optional() })),
  proof: z.array(
    z.strictObject({
      kind: z.enum(["testimonial", "customer", "metric", "rating", "award", "guarantee"]),
      text: z.string(),
    }),
  ),
});

export const pageSchema = z.strictObject({
  /** Name of a package of the same part. */
  package: z.string(),
  /** Of the URL, e.g. /pricing.html. */
  path: z.string().startsWith("/"),
  /** How the page is made, for figures by structure. */
  structure: z.array(
    z.enum([
      "static",
      "client-rendered",
      "shadow-dom",
      "frame",
      "lazy",
      "toggle",
      "cards",
      "table",
      "shop",
      "landing",
      "docs",
      "other-language",
    ]),
  ),
  /** What a judge may doubt, in a sentence. */
  note: z.string().optional(),
  truth: truthSchema,
});
export type PageTruth = z.infer<typeof truthSchema>;
export type CorpusPage = z.infer<typeof pageSchema>;
