import { z } from "zod";

/** The artifact role under which a step leaves its summary. */
export const SUMMARY = "summary";

/**
 * What a step tells its reviewer: artifact `summary` (JSON). The review page shows this and nothing of a pipeline's own. Facts with one
 * label are a group ("Offers"); a label that stands once in each summary is a column of the table at the top.
 */
export const summarySchema = z.strictObject({
  title: z.string().min(1).max(200),
  /** What it is about, e.g. an address. */
  subtitle: z.string().max(2048).optional(),
  facts: z
    .array(
      z.strictObject({
        /** Names the fact in its summary, the same in the next run: a reviewer can correct it. Absent: it cannot be corrected. */
        id: z.string().min(1).max(200).optional(),
        label: z.string().min(1).max(60),
        value: z.string().max(1000),
        /** Evidence, word for word. */
        quote: z.string().max(1000).optional(),
        /** Where it stands. */
        url: z.string().max(2048).optional(),
      }),
    )
    .max(500)
    .superRefine((facts, context) => {
      const known = new Set<string>();
      for (const [index, { id }] of facts.entries()) {
        if (id === undefined) continue;
        if (known.has(id)) context.addIssue({ code: "custom", path: [index, "id"], message: "two facts have this id" });
        known.add(id);
      }
    }),
  pictures: z
    .array(
      z.strictObject({
        /** Artifact key of a PNG or JPEG. */
        image: z.string(),
        /** Artifact key of a larger one that it links to. */
        full: z.string().optional(),
        alt: z.string().max(2300),
        /** Pixels. */
        width: z.int().positive(),
        height: z.int().positive(),
      }),
    )
    .max(20),
  /** What the reviewer must know, e.g. that something was cut. */
  caveats: z.array(z.string().max(1000)).max(50),
});
export type Summary = z.infer<typeof summarySchema>;
