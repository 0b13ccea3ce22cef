import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import { type Claim, claimsOf } from "../../pipelines/market-analysis/claims.ts";
import { describePrice } from "../../pipelines/market-analysis/price.ts";
import type { NumberedClaim } from "./report.ts";
import type { ReadPage } from "./site.ts";

/** A site whose findings are numbered. */
export interface NumberedSite {
  readonly id: string;
  /** Ids and findings of its pages, in the same order as `analysis` was merged from. */
  readonly pages: readonly (Pick<ReadPage, "analysis" | "capture"> & { readonly id: string })[];
  readonly analysis: Analysis;
}

/** Every finding of every site, numbered through. */
export function numberClaims(sites: readonly NumberedSite[]): NumberedClaim[] {
  return sites
    .flatMap((site) => {
      const said = site.pages.map(({ analysis }) => new Set(claimsOf(analysis).map(({ id }) => id)));
      return claimsOf(site.analysis).map((claim) => claimOn(site, claim, said));
    })
    .map((claim, at) => ({ id: `c${at + 1}`, ...claim }));
}

function claimOn(
  { id: site, pages, analysis }: NumberedSite,
  claim: Claim,
  said: readonly ReadonlySet<string>[],
): Omit<NumberedClaim, "id"> {
  const { id: key, field, subject, value, evidence, target } = claim;
  const [home] = pages;
  const from = pages.find(({ analysis: own }) => evidencesOf(own).has(evidence)) ?? home;
  const also = field === "positioning" ? [] : pages.filter((page, at) => page !== from && said[at]?.has(key));
  const kind = field === "proof" ? analysis.proof.find((one) => one.evidence === evidence)?.kind : undefined;
  const offer = field === "offers" ? analysis.offers.find((one) => one.evidence === evidence) : undefined;
  const by = from?.analysis.analyst;
  return {
    site,
    key,
    field,
    ...(kind === undefined ? {} : { kind }),
    subject,
    value,
    ...(offer ? { price: offer.price } : {}),
    details: { ...(offer ? detailsOf(offer) : target === undefined ? {} : { target }), ...seenHow(evidence) },
    quote: evidence.text,
    url: evidence.url,
    at: evidence.at,
    pages: [...(from ? [from.id] : []), ...also.map(({ id }) => id)],
    ...(evidence.crop === undefined ? {} : { crop: evidence.crop }),
    ...(evidence.correctedBy === undefined ? {} : { correctedBy: evidence.correctedBy }),
    analyst: by?.kind === "model" ? by.model : "rules",
  };
}

/** Where a reader who opens the page does not find it at once. */
function seenHow({ pressed, source }: Claim["evidence"]): Record<string, string> {
  return {
    ...(pressed === undefined ? {} : { "shown after pressing": `“${pressed}”` }),
    ...(source === "picture" ? { "read from": "a picture, by the model" } : {}),
  };
}

function evidencesOf({ positioning, audience, offers, callsToAction, proof, technology }: Analysis): Set<unknown> {
  const all = [
    ...audience,
    ...offers,
    ...callsToAction,
    ...proof,
    ...technology,
    ...(positioning ? [positioning] : []),
  ];
  return new Set(all.map(({ evidence }) => evidence));
}

/** What an offer says beside its price, by field, as a reader calls it. */
function detailsOf(offer: Analysis["offers"][number]): Record<string, string> {
  const { alternatives = [], listPrice, trialDays, features } = offer;
  return {
    ...(listPrice ? { "regular price": describePrice(listPrice) } : {}),
    ...(alternatives.length ? { "other prices": alternatives.map(describePrice).join(", ") } : {}),
    ...(trialDays === undefined ? {} : { trial: trialDays === 1 ? "1 day" : `${trialDays} days` }),
    ...(features.length ? { features: features.join("; ") } : {}),
  };
}

const CITATION = /\[(c\d+)\]/g;

/** The claims that a text cites, as "[c12]". */
export function citedIn(text: string): string[] {
  return [...new Set([...text.matchAll(CITATION)].map(([, id = ""]) => id))];
}

/** The text and the numbers of claims in it, in turn: a text, a number, a text, and so on. */
export const atCitations = (text: string): string[] => text.split(CITATION);

/** For where no list of claims is at hand. */
export const withoutCitations = (text: string): string => text.replace(/\s*\[c\d+\]/g, "");

/** "[c1][c2]" */
export const citations = (ids: readonly string[]): string => ids.map((id) => `[${id}]`).join("");
