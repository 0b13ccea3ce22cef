import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import { labelOf } from "./controls.ts";
import type { Cite } from "./evidence.ts";
import { boxOf, ownBox } from "./marks.ts";
import { isPriceWord } from "./mentions.ts";
import { findMoney } from "./money.ts";
import { HEADINGS } from "./offer-name.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

/** Headings that say where one is, and claim nothing. */
const NAMES_PAGE =
  /^(?:(?:our )?(?:pricing|prices|plans?(?: (?:and|&) pricing)?|products?|services|features|shop|store|portfolio|blog|news|about(?: us)?|contact(?: us)?|home|welcome(?: (?:to|back))?|documentation|docs|getting started|introduction|overview|faqs?|team|customers|careers|changelog|gallery|categories|dashboard|log ?in|sign ?(?:in|up)(?: with)?|register|create (?:an |your )?account|(?:shopping |your )?(?:cart|bag|basket)|checkout|(?:invoice|order)(?: (?:#|no\.?).{1,20})?|orders|billing|profile|settings|account|users|tables|components|examples|templates|preise|über uns|leistungen|produkte|tarifs|à propos|precios|productos)|(?:404|page not found).*)[.!:]?$/iu;
const MIN_CLAIM = { heading: 12, text: 25 };
const MAX_NAME_WORDS = 4;
/** Words of a longer name that its title lacks: "PRO". */
const EDITION = 1;
const MAX_CLAIM = 300;
/** Texts below a heading in which the claim stands that the heading does not make. */
const BELOW = 4;
/** What a page's name is said by, too: its place in the menu, or the button of its form. */
const NAMING =
  "button, [type='submit'], nav a, [role='navigation'] a, [class*='sidebar' i] a, [class*='sidenav' i] a, [class*='breadcrumb' i] *";
const ASIDE = "aside, [class*='sidebar' i], [class*='profile' i], [class*='menu' i]";
/** Of a text: what its links say of it, where it is a list of them. */
const MOSTLY = 0.8;
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
  const said = claim ? textOf(claim) : document.querySelector(HEADINGS) ? "" : description.trim();
  return said ? { value: said.slice(0, MAX_CLAIM), evidence: cite(said, claim) } : null;
}

function claimedBy(document: PageDocument, called: readonly string[]): PageElement | undefined {
  const isBrand = (text: string) => called.some((name) => isNamed(text, name));
  const names = (one: PageElement) =>
    NAMES_PAGE.test(textOf(one)) || isBrand(textOf(one)) || labels.has(squash(textOf(one))) || isOfForm(one);
  const labels = new Set([...document.querySelectorAll(NAMING)].map((one) => squash(labelOf(one))));
  const written = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6, p, div, span, a")].filter(
    (one) => textOf(one).length >= 3 && !one.closest("nav, footer, [role='navigation']") && !isLinks(one),
  );
  const isClaim = (one: PageElement) =>
    /^(?:P|H[1-6]|DIV)$/.test(one.tagName) &&
    textOf(one).length >= (/^H/.test(one.tagName) ? MIN_CLAIM.heading : MIN_CLAIM.text) &&
    textOf(one).length <= MAX_CLAIM &&
    !one.querySelector("p, div, h1, h2, h3, select, input, button");
  const inFirstScreen = (one: PageElement) => !one.closest(ASIDE) && (boxOf(one)?.y ?? FIRST_SCREEN) < FIRST_SCREEN;
  const headings = written.filter((one) => /^H[1-6]$/.test(one.tagName) && inFirstScreen(one));
  const heading =
    written.find((one) => one.tagName === "H1" && !isPriceWord(textOf(one)) && findMoney(textOf(one)).length === 0) ??
    mastheadIn(written) ??
    written.find((one) => one.tagName === "H2" && !one.closest(ASIDE)) ??
    written.find((one) => /^H[3-6]$/.test(one.tagName) && inFirstScreen(one)) ??
    (headings.length === 0 ? written.find((one) => isClaim(one) && inFirstScreen(one)) : undefined);
  if (!heading || !names(heading)) return heading;
  const around = heading.parentElement?.parentElement;
  const below = written.slice(written.indexOf(heading) + 1);
  return (
    below
      .filter((one) => around?.contains(one) && one.querySelector("p, div, h1, h2, h3, select, input, button") === null)
      .slice(0, BELOW)
      .find(isClaim) ??
    // A brand may stand apart, in a header or a column of its own.
    (isNamed(textOf(heading), called[0] ?? "") ? below.find((one) => isClaim(one) && inFirstScreen(one)) : undefined)
  );
}

/** A small heading above fields says what they are for. */
function isOfForm(heading: PageElement): boolean {
  const card = heading.parentElement?.parentElement?.parentElement;
  return (
    /^H[3-6]$/.test(heading.tagName) &&
    !/^(?:BODY|HTML)$/.test(card?.tagName ?? "") &&
    card?.querySelector("input, textarea") != null
  );
}

/** A short text in the words of a name, whatever its version: "Owl Carousel 2" is "owl.carousel.js", "Fluent" is "Fluent UI". */
function isNamed(text: string, name: string): boolean {
  const words = wordsOf(text);
  const known = new Set(wordsOf(name));
  const others = words.filter((word) => !known.has(word)).length;
  return (
    words.length <= MAX_NAME_WORDS &&
    (squash(text) === squash(name) || (words.length > 0 && others <= (words.length > 2 ? EDITION : 0)))
  );
}

/** Without what versions and kinds of files add to a name. */
function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => /\p{L}/u.test(word) && !/^(?:js|css|v\d+)$/.test(word));
}

/** Says no more than its links and buttons do. */
function isLinks(element: PageElement): boolean {
  const links = [...element.querySelectorAll("a, button")].filter((one) => one !== element);
  const said = links.reduce((sum, link) => sum + textOf(link).length, 0);
  return links.length > 0 && said >= textOf(element).length * MOSTLY;
}

/** The largest words of the first screen, on a page without a first heading. */
function mastheadIn(written: readonly PageElement[]): PageElement | undefined {
  const inMasthead = written.filter(
    (one) =>
      one.closest(
        "[class*='masthead' i], [class*='hero' i], [class*='jumbotron' i], [class*='banner' i], [class*='intro' i]",
      ) &&
      one.querySelector("p, div, h1, h2, h3") === null &&
      one.closest("a, button") === null &&
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
