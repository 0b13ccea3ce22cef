import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import { ownBox } from "./marks.ts";
import { isPriceWord } from "./mentions.ts";
import { findMoney } from "./money.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

/** Headings that say where one is, and claim nothing. */
const NAMES_PAGE =
  /^(?:(?:our )?(?:pricing|prices|plans?(?: (?:and|&) pricing)?|products?|services|features|shop|store|portfolio|blog|news|about(?: us)?|contact(?: us)?|home|welcome(?: (?:to|back))?|documentation|docs|getting started|introduction|overview|faqs?|team|customers|careers|changelog|gallery|categories|dashboard|log ?in|sign ?(?:in|up)|preise|über uns|leistungen|produkte|tarifs|à propos|precios|productos)|(?:404|page not found).*)[.!:]?$/iu;
const MIN_CLAIM = { heading: 12, text: 25 };
const MAX_NAME_WORDS = 4;
const MAX_CLAIM = 300;
/** Texts below a heading in which the claim stands that the heading does not make. */
const BELOW = 4;
const ASIDE = "aside, [class*='sidebar' i], [class*='profile' i], [class*='menu' i]";
/** CSS pixels that a visitor sees first. */
const FIRST_SCREEN = 800;

/** The main claim: the first heading that claims something; where that only names the page or the brand, the sentence below it. */
export function findPositioning(
  document: PageDocument,
  names: readonly string[],
  description: string,
  cite: Cite,
): Analysis["positioning"] {
  const claim = claimedBy(document, names);
  const said = claim ? textOf(claim) : document.querySelector("h1") ? "" : description.trim();
  return said ? { value: said.slice(0, MAX_CLAIM), evidence: cite(said, claim) } : null;
}

function claimedBy(document: PageDocument, called: readonly string[]): PageElement | undefined {
  const names = (text: string) =>
    NAMES_PAGE.test(text) ||
    (text.split(" ").length <= MAX_NAME_WORDS && called.some((name) => squash(name) === squash(text)));
  const written = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6, p, div, span, a")].filter(
    (one) => textOf(one).length >= 3 && !one.closest("nav, footer, [role='navigation']"),
  );
  const heading =
    written.find((one) => one.tagName === "H1" && !isPriceWord(textOf(one)) && findMoney(textOf(one)).length === 0) ??
    mastheadIn(written) ??
    written.find((one) => one.tagName === "H2" && !one.closest(ASIDE));
  if (!heading || !names(textOf(heading))) return heading;
  const below = written
    .slice(written.indexOf(heading) + 1)
    .filter((one) => one.querySelector("p, div, h1, h2, h3") === null);
  const around = heading.parentElement?.parentElement;
  return below
    .filter((one) => around?.contains(one) && !one.querySelector("select, input, button"))
    .slice(0, BELOW)
    .find(
      (one) =>
        /^(?:P|H[2-6]|DIV)$/.test(one.tagName) &&
        textOf(one).length >= (/^H/.test(one.tagName) ? MIN_CLAIM.heading : MIN_CLAIM.text) &&
        textOf(one).length <= MAX_CLAIM,
    );
}

/** The largest words of the first screen, on a page without a first heading. */
function mastheadIn(written: readonly PageElement[]): PageElement | undefined {
  const inMasthead = written.filter(
    (one) =>
      one.closest(
        "[class*='masthead' i], [class*='hero' i], [class*='jumbotron' i], [class*='banner' i], [class*='intro' i]",
      ) &&
      one.querySelector("p, div, h1, h2, h3") === null &&
      textOf(one).length <= 120 &&
      (ownBox(one)?.y ?? FIRST_SCREEN) < FIRST_SCREEN,
  );
  const height = (one: PageElement) => ownBox(one)?.height ?? 0;
  return inMasthead.toSorted((a, b) => height(b) - height(a))[0];
}

/** The site's name: from its structured data, else the brand in its header, else its title, else its host. */
export function findName(document: PageDocument, title: string, url: string): string {
  const host = new URL(url).hostname.replace(/^www\./, "");
  const word = host.split(".")[0] ?? host;
  const candidates = [
    document.querySelector("meta[property='og:site_name']")?.getAttribute("content"),
    brandIn(document),
    // Of "Shiftwell – Planning for teams" the part that the host repeats, else the last, which is where names stand.
    title.split(/\s[–—|·:-]\s/).find((part) => squash(part).includes(squash(word))),
    title.split(/\s[–—|·]\s/).at(-1),
    word,
  ];
  return candidates.map((name) => name?.replace(/\s+/g, " ").trim()).find((name) => name && name.length <= 60) ?? host;
}

function brandIn(document: PageDocument): string | undefined {
  const brand = document.querySelector(
    "[class*='brand' i], header [class*='logo' i], nav [class*='logo' i], a[href='/'], a[href='#top']",
  );
  const text = brand && (textOf(brand) || brand.querySelector("img[alt]")?.getAttribute("alt") || "");
  return text && text.length <= 40 ? text : undefined;
}

/** What names a page and claims nothing: its brand, and what its title says before that: "Elements – Acme", but not "Acme – Plans that last". */
export function pageNames(title: string, brand: string): string[] {
  const parts = title.split(/\s(?:[–—|·:-]|by)\s/);
  const at = parts.findIndex((part) => squash(part).includes(squash(brand)));
  return [brand, ...parts.slice(0, at === -1 ? parts.length : at)];
}

function squash(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}
