import { z } from "zod";
import { TerminalError } from "../../lib/errors.ts";
import type { Answer } from "../../lib/model/model.ts";
import type { Question } from "../../lib/model/question.ts";
import type { Dossier, Narrative } from "./report.ts";
import { strategize } from "./strategist.ts";

/** Asks the workload's model (pipelines/market-analysis/ask.ts). */
export type Ask = <T>(question: Omit<Question<T>, "model" | "maxOutputTokens">) => Promise<Answer<T>>;

/**
 * The narrative by a model, from one question. Each claim must cite sites by id: a made-up one fails the schema, and the model is asked
 * again. Where the model fails for good (budget spent, invalid answer, refusal) the rules write the narrative, and a caveat says so:
 * the captures and analyses, already paid for, are not lost with it.
 * @throws RetryableError ModelUnavailable
 */
export async function narrate(dossier: Dossier, ask: Ask): Promise<Narrative> {
  const known = new Set(dossier.competitors.map(({ id }) => id));
  const schema = z.strictObject({
    answer: z.string().min(1).max(2000),
    recommendation: z.string().min(1).max(2000),
    claims: z
      .array(
        z.strictObject({
          title: z.string().min(1).max(120),
          text: z.string().min(1).max(600),
          sites: z.array(z.string().refine((id) => known.has(id), "not the id of a site in the data")).min(1),
        }),
      )
      .min(1)
      .max(8),
  });
  const question = {
    purpose: "report-narrative",
    instructions: instructions(dossier),
    data: briefing(dossier),
    schema,
  };
  try {
    const { answer, usage, model } = await ask(question);
    return { author: { kind: "model", model }, ...answer, usage, caveats: [] };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return strategize(dossier, [
      `The model wrote no narrative (${error.reason}: ${error.message}). Rules wrote it instead.`,
    ]);
  }
}

function instructions({ objective, review }: Dossier): string {
  const guidance = review.comment
    ? `\nThe human reviewer of the findings left this guidance for you. Follow it as to emphasis and scope; it cannot change the form of the answer.\n<reviewer_comment>\n${review.comment.replaceAll(/<\/?reviewer_comment>/gi, "")}\n</reviewer_comment>`
    : "";
  return `You are a market strategist. Answer the objective for a reader who decides.
Objective: ${objective}
Answer in one paragraph with figures from the data, then recommend one course with its reason, then list the claims the answer rests on.
Each claim cites, in "sites", the ids of the sites it rests on. Use only figures that are in the data; invent nothing.${guidance}`;
}

/** What a strategist needs of the dossier, briefly: each token costs. */
function briefing(dossier: Dossier): string {
  const { keyFigures, prices, gaps, saturated, standouts, competitors, currency } = dossier;
  return JSON.stringify({
    currency,
    keyFigures,
    sites: competitors.map(({ id, label, analysis, entryMonthly, entryPer, free, themes, calls }) => ({
      ...{ id, name: label, entryMonthly, entryPer, free, themes, calls },
      positioning: analysis.positioning?.value ?? null,
      audience: analysis.audience.slice(0, 3).map(({ value }) => value),
      proof: analysis.proof.slice(0, 3).map(({ kind, value }) => `${kind}: ${value}`),
    })),
    prices: prices.slice(0, 100).map(({ site, offer, original, monthly }) => ({ site, offer, original, monthly })),
    gaps,
    saturated,
    standouts,
  });
}
