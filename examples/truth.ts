import { readFile } from "node:fs/promises";
import { z } from "zod";
import { pageKindSchema } from "../pipelines/market-analysis/capture.ts";

/** What a visitor of a sample site sees by default; written by hand, and what tests and bench/extraction compare with. */
const offersSchema = z.array(
  z.strictObject({
    name: z.string(),
    /** Null: on request. */
    price: z
      .strictObject({
        amount: z.number(),
        currency: z.string().length(3),
        period: z.string(),
        per: z.string().optional(),
        from: z.boolean(),
      })
      .nullable(),
  }),
);

const truthSchema = z.strictObject({
  site: z.url(),
  name: z.string(),
  /** The main heading, word for word. */
  positioning: z.string(),
  offers: offersSchema,
  /** Texts of the buttons that ask the visitor to do something. */
  callsToAction: z.array(z.string()),
  /** Word for word from the page. */
  proof: z.array(z.string()),
  /** Further pages of the site, in the order in which they are chosen. */
  pages: z.array(z.strictObject({ url: z.url(), kind: pageKindSchema, offers: offersSchema })).default([]),
});
export type Truth = z.infer<typeof truthSchema>;

export async function loadTruth(): Promise<Truth[]> {
  return z.array(truthSchema).parse(JSON.parse(await readFile(new URL("./truth.json", import.meta.url), "utf8")));
}
