import { readFile } from "node:fs/promises";
import { z } from "zod";

/** What a visitor of a sample site sees by default; written by hand, and what tests and bench/extraction compare with. */
const truthSchema = z.strictObject({
  site: z.url(),
  name: z.string(),
  /** The main heading, word for word. */
  positioning: z.string(),
  offers: z.array(
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
  ),
  /** Texts of the buttons that ask the visitor to do something. */
  callsToAction: z.array(z.string()),
  /** Word for word from the page. */
  proof: z.array(z.string()),
});
export type Truth = z.infer<typeof truthSchema>;

export async function loadTruth(): Promise<Truth[]> {
  return z.array(truthSchema).parse(JSON.parse(await readFile(new URL("./truth.json", import.meta.url), "utf8")));
}
