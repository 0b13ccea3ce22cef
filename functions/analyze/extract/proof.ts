import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

type Proof = Analysis["proof"][number];

const MAX_EACH = 8;
const RATING =
  /\b[0-5](?:[.,]\d)?\s*(?:\/|out of|of|von|sur)\s*5\b(?:\s*(?:stars?|sterne(?:n)?|étoiles))?|\b[1-5][.,]\d\s*(?:★|stars?|sterne)/iu;
/** Not "up to 5 people", which is an offer's limit. */
const METRIC =
  /(?<!\b(?:up to|bis|bis zu|max\.?|jusqu[’']à) )\b(?:over |more than |über )?\d[\d.,]*\s?(?:[kKmM]\b)?\+?\s+(?:happy |active |small |growing |local )?(?:teams?|customers?|users?|companies|businesses|shifts?|restaurants?|shops?|stores?|people|employees|managers|clinics|crews?|agencies|studios|hours|kunden|betriebe|unternehmen|nutzer|schichten)\b/iu;
const GUARANTEE =
  /\b(?:money[- ]back|\d+[- ]days? guarantee|satisfaction guarantee|geld[- ]zurück[\w-]*|satisfait ou remboursé|no[- ]risk|cancel any ?time|jederzeit kündbar)\b/iu;
const AWARD = /\b(?:award|winner|voted|best of 20\d\d|leader 20\d\d|product of the year|testsieger)\b/iu;
const LOGOS =
  "[class*='logos' i] img[alt], [class*='customers' i] img[alt], [class*='clients' i] img[alt], [class*='trusted' i] img[alt], [class*='logo' i] svg[aria-label], [class*='logos' i] [aria-label]";
const QUOTES = "blockquote, [class*='testimonial' i], [class*='quote' i]";

/** What the page shows as proof of its claims. */
export function findProof(document: PageDocument, cite: Cite): Proof[] {
  const proof = new Map<string, Proof>();
  const add = (kind: Proof["kind"], value: string, said: string, element: PageElement): void => {
    const key = `${kind} ${value.toLowerCase()}`;
    const sofar = [...proof.values()].filter((one) => one.kind === kind).length;
    if (value && sofar < MAX_EACH && !proof.has(key))
      proof.set(key, { kind, value: value.slice(0, 200), evidence: cite(said, element) });
  };
  for (const quote of document.querySelectorAll(QUOTES)) {
    const text = textOf(quote);
    // A wrapper around several quotes is no quote.
    if (text.length >= 20 && text.length <= 500 && !quote.querySelector(QUOTES)) add("testimonial", text, text, quote);
  }
  for (const logo of document.querySelectorAll(LOGOS)) {
    const name = (logo.getAttribute("alt") ?? logo.getAttribute("aria-label") ?? "").replace(/\s*logo\s*/i, "").trim();
    add("customer", name, name, logo);
  }
  for (const [line, element] of leafTexts(document)) {
    for (const [kind, pattern] of [
      ["rating", RATING],
      ["metric", METRIC],
      ["guarantee", GUARANTEE],
      ["award", AWARD],
    ] as const) {
      const match = pattern.exec(line);
      if (match)
        add(kind, kind === "guarantee" || kind === "award" ? line.slice(0, 120) : match[0].trim(), line, element);
    }
  }
  return [...proof.values()];
}

/** The texts of the innermost blocks. */
function leafTexts(document: PageDocument): (readonly [string, PageElement])[] {
  return [
    ...document.querySelectorAll("p, li, h1, h2, h3, h4, h5, h6, span, strong, b, small, div, figcaption, td, dd, dt"),
  ]
    .filter((element) => element.querySelector("p, li, h1, h2, h3, h4, div, section, table, ul") === null)
    .map((element) => [textOf(element), element] as const)
    .filter(([text]) => text !== "" && text.length <= 300);
}
