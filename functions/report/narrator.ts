import { z } from "zod";
import type { Model, Spender } from "../../lib/edges/llm.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { ModelChoice } from "../../lib/model-choice.ts";
import type { Dossier, Narrative } from "./report.ts";
import { strategize } from "./strategist.ts";

const MAX_OUTPUT_TOKENS = 1200;

/**
 * The narrative by a model, in one call: each claim must cite sites by id, so that a made-up one fails the schema and is asked for again.
 * Where the model has ended for good (budget spent, garbage, refusal) the rules write instead, and the report says so: the
 * scraping and analysis that were paid for are not lost with it.
 * @throws RetryableError ModelUnavailable
 */
export async function narrate(
  model: Model,
  dossier: Dossier,
  spender: Spender,
  choice?: ModelChoice,
): Promise<Narrative> {
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
  try {
    const {
      answer,
      usage,
      model: author,
    } = await model.ask(
      {
        purpose: "report-narrative",
        instructions: instructions(dossier),
        data: briefing(dossier),
        schema,
        maxOutputTokens: MAX_OUTPUT_TOKENS,
        ...(choice ? { model: choice } : {}),
      },
      spender,
    );
    return { author: { kind: "model", model: author }, ...answer, usage, caveats: [] };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return strategize(dossier, [
      `${model.name} did not write the narrative (${error.reason}: ${error.message}); rules did.`,
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

/** What a strategist needs of the dossier, short: the model pays by the word. */
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
