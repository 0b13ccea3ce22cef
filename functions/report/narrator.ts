import { z } from "zod";
import { TerminalError } from "../../lib/errors.ts";
import type { Answer } from "../../lib/model/model.ts";
import type { Question } from "../../lib/model/question.ts";
import { citedIn } from "./claims.ts";
import { siteShare } from "./coverage.ts";
import { confidenceOf, ENOUGH } from "./insights.ts";
import type { Dossier, Insight, Narrative, NumberedClaim } from "./report.ts";
import { strategize } from "./strategist.ts";

/** Asks the workload's model (pipelines/market-analysis/ask.ts). */
export type Ask = <T>(question: Omit<Question<T>, "model" | "maxOutputTokens">) => Promise<Answer<T>>;

/**
 * The narrative by a model, from one question. Answer and recommendation must cite claims by number, as must each of its own claims: a
 * text that cites none or one that is not in the data fails the schema, as does one that speaks of the market from fewer than three sites,
 * and the model is asked again. Where the model fails for good (budget spent, invalid answer, refusal) the rules write the narrative, and a caveat says so:
 * the captures and analyses, already paid for, are not lost with it.
 * @throws RetryableError ModelUnavailable
 */
export async function narrate(dossier: Dossier, ask: Ask): Promise<Narrative> {
  const { competitors, coverage } = dossier;
  const sites = new Set(competitors.map(({ id }) => id));
  const told = toldClaims(dossier);
  const known = new Set(told.map(({ id }) => id));
  if (known.size === 0)
    return strategize(dossier, [
      "The model was not asked: the pages say nothing that it could cite. Rules wrote the narrative.",
    ]);
  const isEnough = competitors.length >= ENOUGH;
  const text = (max: number) =>
    z
      .string()
      .min(1)
      .max(max)
      .refine((said) => citedIn(said).every((id) => known.has(id)), "cites a claim that is not in the data")
      .refine((said) => isEnough || !MARKET.test(said), "speaks of the market, where fewer than three sites were read");
  const cited = (max: number) => text(max).refine((said) => citedIn(said).length > 0, "cites no claim, such as [c12]");
  const schema = z.strictObject({
    answer: cited(2000),
    recommendation: cited(2000),
    claims: z
      .array(
        z.strictObject({
          title: text(120),
          text: text(600),
          sites: z.array(z.string().refine((id) => sites.has(id), "not the id of a site in the data")).min(1),
          claims: z.array(z.string().refine((id) => known.has(id), "not the number of a claim in the data")).min(1),
        }),
      )
      .min(1)
      .max(8),
  });
  const question = {
    purpose: "report-narrative",
    instructions: instructions(dossier),
    data: briefing(dossier, told),
    schema,
  };
  try {
    const { answer, usage, model } = await ask(question);
    const { read, all } = siteShare(coverage);
    const confidence = confidenceOf({ competitors, readShare: read / all }, false);
    return {
      author: { kind: "model", model },
      ...answer,
      confidence,
      claims: answer.claims.map((claim) => ({
        ...claim,
        confidence: claim.sites.length < ENOUGH ? "low" : confidence,
      })),
      usage,
      caveats: [],
    };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return strategize(dossier, [
      `The model wrote no narrative (${error.reason}: ${error.message}). Rules wrote it instead.`,
    ]);
  }
}

function instructions({ objective, review, competitors }: Dossier): string {
  const guidance = review.comment
    ? `\nThe human reviewer of the findings left this guidance for you. Follow it as to emphasis and scope; it cannot change the form of the answer.\n<reviewer_comment>\n${review.comment.replaceAll(/<\/?reviewer_comment>/gi, "")}\n</reviewer_comment>`
    : "";
  return `You are a market strategist. Answer the objective for a reader who decides.
Objective: ${objective}
Answer in one paragraph with figures from the data, then recommend one course with its reason, then list the claims the answer rests on.
The data numbers what the sites say: c1, c2 and so on. Write the number behind each statement that rests on it, as in "entry starts at $9 [c12]"; answer and recommendation cite at least one each.
Each claim cites, in "sites", the ids of the sites it rests on, and in "claims" the numbers of what they say. Use only figures that are in the data; invent nothing.${
    competitors.length >= ENOUGH
      ? ""
      : " So few sites say nothing about a market or an industry: speak of these sites only."
  }${guidance}`;
}

/** "The market", in what is said of fewer than three sites. */
const MARKET = /\b(market|industry|sector)\b/i;

/** Claims that the model is told of, of each field and site: each costs. */
const TOLD: Readonly<Partial<Record<NumberedClaim["field"], number>>> = {
  positioning: 1,
  audience: 3,
  offers: 12,
  callsToAction: 2,
  proof: 3,
};

function toldClaims({ claims }: Dossier): NumberedClaim[] {
  const count = new Map<string, number>();
  return claims.filter(({ site, field }) => {
    const key = `${site} ${field}`;
    count.set(key, (count.get(key) ?? 0) + 1);
    return (count.get(key) ?? 0) <= (TOLD[field] ?? 0);
  });
}

/** What a strategist needs of the dossier, briefly: each token costs. */
function briefing(dossier: Dossier, told: readonly NumberedClaim[]): string {
  const { keyFigures, prices, gaps, saturated, standouts, competitors, currency, changes } = dossier;
  const brief = ({ title, text, sites, claims }: Insight) => ({ title, text, sites, claims });
  // Nothing new leaves the question as it was, whose answer is paid for.
  const isNew = changes?.list.some(({ material }) => material) ?? false;
  return JSON.stringify({
    currency,
    keyFigures,
    sites: competitors.map(({ id, label, entryMonthly, entryPer, free, themes, calls }) => ({
      ...{ id, name: label, entryMonthly, entryPer, free, themes, calls },
      claims: Object.fromEntries(told.filter(({ site }) => site === id).map((claim) => [claim.id, sentenceOf(claim)])),
    })),
    prices: prices.slice(0, 100).map(({ site, offer, claim, monthly }) => ({ site, offer, claim, monthly })),
    gaps: gaps.map(brief),
    saturated: saturated.map(brief),
    standouts: standouts.map(brief),
    ...(changes && isNew
      ? {
          changesSince: changes.since.slice(0, 10),
          changes: changes.list
            .filter(({ material }) => material)
            .slice(0, 30)
            .map(({ sentence }) => sentence),
        }
      : {}),
  });
}

function sentenceOf({ field, kind, subject, value }: NumberedClaim): string {
  return field === "offers" ? `offer ${subject}: ${value}` : `${kind ?? field}: ${value}`;
}
