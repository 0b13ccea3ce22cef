import { z } from "zod";
import type { Box } from "./extract/marks.ts";

/** What the model fills in. Each claim has a quote, by which merge looks it up on the page. */
const claim = z.strictObject({ value: z.string(), quote: z.string() });

export const modelAnalysisSchema = z.strictObject({
  positioning: claim.nullable(),
  audience: z.array(claim),
  offers: z.array(
    z.strictObject({
      name: z.string(),
      amount: z.number().nullable(),
      currency: z.string().nullable(),
      period: z.enum(["month", "year", "week", "day", "hour", "once"]).nullable(),
      per: z.string().nullable(),
      from: z.boolean(),
      features: z.array(z.string()),
      quote: z.string(),
    }),
  ),
  callsToAction: z.array(claim),
  proof: z.array(
    z.strictObject({
      kind: z.enum(["testimonial", "customer", "metric", "rating", "award", "guarantee"]),
      value: z.string(),
      quote: z.string(),
    }),
  ),
  layout: z.array(z.string()),
});
export type ModelAnalysis = z.infer<typeof modelAnalysisSchema>;

/** `isPictured`: the page names no price in its text, and the picture is the part of it that may. */
export function instructions(objective: string, isPictured: boolean): string {
  return [
    "You analyze one competitor's web page from its text and a screenshot, for a market analyst.",
    `The analyst's question: ${objective}`,
    "Report only what the page itself says. Every quote is copied word for word from the text, at most 200 characters.",
    "Every value stands in its quote, in the page's own words. positioning: the main claim. audience: whom the page addresses. offers: each plan with its price as shown",
    "(amount null where none is named; currency as ISO 4217; per: what is counted, such as user). callsToAction: texts of the",
    "main buttons. proof: testimonials, customers, numbers, ratings, awards, guarantees. layout: short words for what the",
    "screenshot shows. At most six entries a list. Be brief.",
    ...(isPictured ? [PICTURED] : []),
  ].join("\n");
}

const PICTURED =
  "The text names no price. For each offer whose price the picture shows, quote the words of the picture: the offer's name and its price.";

/** At low detail a model sees 512 pixels: a larger picture would only take longer to send. */
const PICTURE = { edge: 768, quality: 80 } as const;

/** A page's picture as the model sees it, or a part of it. */
export async function pictureFor(picture: Uint8Array, part?: Box): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  const whole = sharp(picture);
  return (part ? whole.extract({ left: part.x, top: part.y, width: part.width, height: part.height }) : whole)
    .resize({ width: PICTURE.edge, height: PICTURE.edge, fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: PICTURE.quality })
    .toBuffer();
}
