import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import { ownBox } from "./marks.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

type Proof = Analysis["proof"][number];

/** Characters: longer text is prose. */
const MAX_LINE = 600;
const MAX_EACH = 12;
/** Stars are drawn beside the figures, or the reviews are counted: "4.6 · 248 reviews", "(212 reviews)". */
const RATED =
  /(?<![\d.,v])[1-5](?:[.,]\d)?\s*[·|(,–-]\s*\d[\d.,]*[kK]?\s*(?:reviews?|ratings?|votes?|bewertungen|avis|reseñas)?(?:\)|(?=\W|$))|\d[\d.,]*[kK]?\+?\s*(?:reviews?|ratings?|bewertungen|avis|reseñas)(?!\p{L})/iu;
const STARS = /[★☆⭐]|(?<!\p{L})(?:reviews?|ratings?|bewertungen|avis)(?!\p{L})/iu;
const RATING_CLASS = "[class*='rating' i], [class*='review' i], [class*='stars' i]";
const RATING =
  /\b[0-5](?:[.,]\d)?\s*(?:\/|out of|of|von|sur)\s*5\b(?:\s*(?:stars?|sterne(?:n)?|étoiles))?|\b[1-5][.,]\d\s*(?:★|stars?|sterne)/iu;
/** Not "up to 5 people", which is an offer's limit. */
const METRIC =
  /(?<!\b(?:up to|bis|bis zu|max\.?|jusqu[’']à) )\b(?:(?:used|trusted|loved|chosen) by )?(?:over |more than |über )?\d[\d.,]*\s?(?:[kKmM]\b)?\+?\s+(?:happy |active |small |growing |local )?(?:teams?|customers?|users?|companies|businesses|shifts?|restaurants?|shops?|stores?|people|employees|managers|clinics|crews?|agencies|studios|hours|developers|designers|creators|members|projects|downloads|installs|countries|students|schools|kunden|betriebe|unternehmen|nutzer|schichten)\b/iu;
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
  const leaves = leafTexts(document);
  for (const quote of document.querySelectorAll(QUOTES)) {
    const text = textOf(quote);
    // A wrapper around several quotes is no quote.
    if (text.length >= 20 && text.length <= 500 && !quote.querySelector(QUOTES) && !isTitled(quote))
      add("testimonial", text, text, quote);
  }
  for (const [name, logo] of logosOf(document)) add("customer", name, name, logo);
  for (const [name, element] of trusted(leaves)) add("customer", name.replace(/\s*logo\s*$/i, ""), name, element);
  for (const [said, element] of saidByPeople(leaves)) add("testimonial", said, said, element);
  for (const [value, element] of counted(leaves)) add("metric", value, value, element);
  for (const [line, element] of leaves) {
    const rated = STARS.test(line) || element.closest(RATING_CLASS) ? RATED.exec(line) : null;
    if (rated) add("rating", rated[0].trim(), line, element);
    for (const [kind, pattern] of [
      ["rating", RATING],
      ["metric", METRIC],
      ["guarantee", GUARANTEE],
      ["award", AWARD],
    ] as const) {
      const match = pattern.exec(line);
      if (match && !(kind === "metric" && isLimit(match[0], element)))
        add(kind, kind === "guarantee" || kind === "award" ? line.slice(0, 120) : match[0].trim(), line, element);
    }
  }
  return [...proof.values()];
}

/** A card that is marked up as a quote: nobody's words begin with a title. */
function isTitled(quote: PageElement): boolean {
  const first = [...quote.querySelectorAll("*")].find((one) => textOf(one) !== "" && one.children.length === 0);
  return quote.tagName === "BLOCKQUOTE" && first?.closest("h1, h2, h3, h4, h5, h6") != null;
}

/** Pictures in places named for customers, or several that are called logos, but the site's own. */
function logosOf(document: PageDocument): (readonly [string, PageElement])[] {
  const nameOf = (logo: PageElement) =>
    [logo.getAttribute("alt"), logo.getAttribute("aria-label")]
      .find((one) => /\p{L}/u.test(one ?? ""))
      ?.slice(0, 100) ?? "";
  const content = [...document.querySelectorAll("img, svg")].filter((one) => !one.closest("header, nav, footer"));
  const called = content.filter((one) => /\p{L}.*\blogo$/iu.test(nameOf(one).trim()));
  const filed = content.filter(
    (one) =>
      LOGO_FILE.test(one.getAttribute("src") ?? "") && fileName(one) !== "" && ownBox(one) && !one.closest(LABELS),
  );
  const rows = [...Map.groupBy(filed, (one) => Math.round((ownBox(one)?.y ?? 0) / SAME_ROW))];
  const logos = new Set([
    ...document.querySelectorAll(LOGOS),
    ...(called.length >= FEW_LOGOS ? called : []),
    ...rows.flatMap(([, row]) => (row.length >= FEW_LOGOS ? row : [])),
  ]);
  return [...logos].map((logo) => {
    const named = bare(nameOf(logo));
    return [/\p{L}{2}/u.test(named) && !NO_NAME.test(named) ? named : fileName(logo), logo];
  });
}

/** There a logo labels a row or a button. */
const LABELS = "table, button, form, [role='button'], [class*='btn' i]";
const FEW_LOGOS = 3;
/** CSS pixels within which pictures stand side by side. */
const SAME_ROW = 40;
/** Where sites keep the logos of others. */
const LOGO_FILE =
  /(?:logos?|clients?|customers?|brands?|partners?)[-_./][^/]*\.(?:svg|png|jpe?g|webp|gif)|[-_]logo\.\w+$/iu;
/** What says that a picture is one. */
const NO_NAME = /^(?:(?:client|customer|brand|partner|company|image|img|picture|logo)s?[\s\d]*)+$/iu;

function bare(name: string): string {
  return name.replace(/\s*logos?\s*/i, " ").trim();
}

/** "images/clients/logo-acme.svg" shows Acme's; a number is no name. */
function fileName(picture: PageElement): string {
  const [, file = ""] = /([^/]+)\.\w+$/.exec(picture.getAttribute("src") ?? "") ?? [];
  const name = bare(
    file
      .replace(/[-_.]+/g, " ")
      .replace(/(?<!\p{L})(?:(?:gray|grey|white|black|dark|light|color|small|large|min)|\d+)(?!\p{L})/giu, " "),
  );
  const words = name.replace(/\s+/g, " ").trim();
  return NO_NAME.test(words) || !/\p{L}{2}/u.test(words) ? "" : words;
}

const TRUSTED =
  /^(?:trusted|used|loved|chosen) by\b.{0,80}$|^(?:our )?(?:happy |trusted )?(?:clients|customers|partners)[:.]?$|^(?:they trust us|as seen (?:in|on)|referenzen|unsere kunden|ils nous font confiance)[:.]?$/iu;

/** Names and pictures below "Trusted by". */
function trusted(leaves: readonly (readonly [string, PageElement])[]): (readonly [string, PageElement])[] {
  const [, heading] = leaves.find(([text]) => TRUSTED.test(text) && text.length <= 80) ?? [];
  for (
    let place = heading?.parentElement, climbs = 0;
    heading && place && climbs < 2;
    climbs++, place = place.parentElement
  ) {
    if (place.tagName === "BODY") break;
    const pictures = [...place.querySelectorAll("img[alt]")].map(
      (one) => [one.getAttribute("alt") ?? "", one] as const,
    );
    const texts = leaves.filter(
      ([, one]) => one !== heading && place.contains(one) && ![...one.children].some((part) => textOf(part) !== ""),
    );
    const names = [...pictures, ...texts].filter(([text]) => /^\p{L}[^.!?]{1,28}$/u.test(text));
    if (names.length >= 3 && names.length >= texts.length) return names;
  }
  return [];
}

/** "5 users" of a plan, and no number of customers. */
function isLimit(said: string, element: PageElement): boolean {
  return (
    (element.closest("li, td") !== null || /^\d{1,2}\s/.test(said)) && !/[+kKmM]|\d[.,]\d{3}|over|more than/.test(said)
  );
}

const QUOTED = /^[“„«"'‘][^“„«"]{38,600}[”“»"'’][.!]?$/u;
const QUOTED_HEADING = /^[“„«"].{8,200}[”“»"]$/u;
/** Below a quote: "- Ada Lovelace, London". */
const SIGNED = /^[-–—~]\s?\p{Lu}[^.!?]{2,70}$/u;

/** Texts in quotation marks, and those that a name signs. */
function saidByPeople(leaves: readonly (readonly [string, PageElement])[]): (readonly [string, PageElement])[] {
  return leaves.filter(([text, element], at) => {
    if (element.closest(QUOTES)) return false;
    if (element.matches("h1, h2, h3, h4")) return QUOTED_HEADING.test(text);
    const [below = "", next] = leaves[at + 1] ?? [];
    const signed = text.length >= 40 && SIGNED.test(below) && next?.parentElement === element.parentElement;
    return QUOTED.test(text) || signed;
  });
}

const FIGURE = /^24\/7$|^[+~<>]?\d[\d.,]*\s?(?:[kKmMbB%+xX]|s|ms|min|h)?\+?$/;
const LABEL =
  /^(?!(?:days?|hours?|minutes?|mins?|seconds?|secs?|hrs?|tage|stunden|minuten|sekunden)$)\p{L}[\p{L}\s&'’/-]{2,40}$/iu;
/** Characters of a figure with its label, and what explains it. */
const MAX_CARD = 240;
const FIGURE_AND_LABEL = /^([+~<>]?\d[\d.,]*\s?(?:[kKmMbB%]|s|ms)?\+?)\s+(\p{L}[\p{L}\s&'’/-]{2,30})$/u;

/** Figures above their labels, several alike side by side: "230" above "Projects done". */
function counted(leaves: readonly (readonly [string, PageElement])[]): (readonly [string, PageElement])[] {
  const found = leaves.flatMap(([text, element], at) => {
    const parent = element.parentElement;
    const next = leaves.slice(at + 1, at + 4).find(([, one]) => !element.contains(one));
    const beside = [next, leaves[at - 1]].find((one) => one && LABEL.test(one[0]) && parent?.contains(one[1]));
    if (element.closest("table")) return [];
    if (parent && FIGURE.test(text) && beside && textOf(parent).length <= MAX_CARD)
      return [{ value: `${text} ${beside[0]}`, parent }];
    const [, , label = ""] = FIGURE_AND_LABEL.exec(text) ?? [];
    return LABEL.test(label) && !element.closest("li, td, a, button") ? [{ value: text, parent: element }] : [];
  });
  const rows = Map.groupBy(found, ({ parent }) => rowOf(parent));
  return [...rows].flatMap(([row, figures]) =>
    row !== null && figures.length >= 2 ? figures.map(({ value, parent }) => [value, parent] as const) : [],
  );
}

/** Cards stand in columns of a row: what their wrappers have in common. */
function rowOf(card: PageElement): PageElement | null {
  let row = card.parentElement;
  while (row && row.firstElementChild?.nextElementSibling === null && row.tagName !== "BODY") row = row.parentElement;
  return row;
}

/** The texts of the innermost blocks. */
function leafTexts(document: PageDocument): (readonly [string, PageElement])[] {
  return (
    [...document.querySelectorAll("p, li, h1, h2, h3, h4, h5, h6, span, strong, b, small, div, figcaption, td, dd, dt")]
      .filter((element) => element.querySelector("p, li, h1, h2, h3, h4, div, section, table, ul") === null)
      .map((element) => [textOf(element), element] as const)
      .filter(([text]) => text !== "" && text.length <= MAX_LINE)
      // What wraps a word says it, too.
      .filter(
        ([text, element], at, all) => at === 0 || all[at - 1]?.[0] !== text || !all[at - 1]?.[1].contains(element),
      )
  );
}
