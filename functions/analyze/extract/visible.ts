import { parseHTML } from "linkedom";
import { MAX_DOM_CHARS } from "../../../pipelines/market-analysis/capture.ts";

/** Limits on what is read of a page. */
const MAX_ELEMENTS = 10_000;
const MAX_DEPTH = 200;
/** The parser's time grows with the square of the number of open tags: no page has so many, and this takes milliseconds. */
const MAX_OPEN = 5_000;
/** Characters of one element's text: everything that is looked for is shorter. */
const MAX_TEXT = 2_000;

export type PageElement = Element;
export type PageDocument = Document;

const UNSEEN =
  "template, noscript, [hidden], [aria-hidden='true'], dialog:not([open]), [data-agentic-style~='hidden'], .d-none, .sr-only, .visually-hidden, .screen-reader-text";
/** Old prices, and features that a plan lacks. */
const STRUCK = "s, del, strike, [data-agentic-style~='struck'], .line-through, .text-decoration-line-through";
const STYLED_AWAY = /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i;
const STYLED_OUT = /(?:^|;)\s*text-decoration(?:-line)?\s*:[^;]*line-through/i;
/** Of an element that is emptied: what was crossed out there. */
export const CROSSED_OUT = "data-agentic-crossed-out";
const MAX_STRUCK = 60;

/**
 * The document without what a visitor does not see or is told to disregard: as far as the markup tells, and as scrape marked
 * what the style sheets say. Bounded in size and depth, whatever the page is.
 */
export function visibleDocument(html: string): PageDocument {
  // A browser adds a missing body; the parser does not.
  const whole = /<body[\s>]/i.test(html) ? html : `<!DOCTYPE html><html><head></head><body>${html}</body></html>`;
  const { document } = parseHTML(cutToSize(whole)) as unknown as { document: PageDocument };
  const depths = new WeakMap<Node, number>();
  for (const element of [...document.querySelectorAll("*")]) {
    const depth = (depths.get(element.parentNode ?? element) ?? 0) + 1;
    depths.set(element, depth);
    const style = element.getAttribute("style") ?? "";
    if (depth > MAX_DEPTH || STYLED_AWAY.test(style)) element.remove();
    else if (STYLED_OUT.test(style)) element.setAttribute("data-agentic-style", "struck");
  }
  for (const element of document.querySelectorAll(UNSEEN)) element.remove();
  for (const element of document.querySelectorAll(STRUCK)) {
    const text = (element.textContent ?? "").slice(0, MAX_STRUCK).trim();
    element.textContent = "";
    if (/\d/.test(text)) element.setAttribute(CROSSED_OUT, text);
    else element.remove();
  }
  return document;
}

/** A rendered page closes every tag that has an end. */
const TAG = /<(\/?)(?!(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)\b)[a-z]/gi;

function cutToSize(html: string): string {
  const whole = html.slice(0, MAX_DOM_CHARS);
  let open = 0;
  let seen = 0;
  for (const { 1: closing, index } of whole.matchAll(TAG)) {
    open = closing ? Math.max(0, open - 1) : open + 1;
    if (!closing) seen++;
    if (open > MAX_OPEN || seen > MAX_ELEMENTS) return whole.slice(0, index);
  }
  return whole;
}

const BLOCKS = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE BR BUTTON DD DIV DL DT FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LABEL LI MAIN NAV OL OPTION P SECTION SUMMARY TABLE TBODY TD TH THEAD TR UL".split(
    " ",
  ),
);
const SILENT = new Set(["SCRIPT", "STYLE", "TEMPLATE", "NOSCRIPT", "SVG"]);
const TEXT_NODE = 3;
const ELEMENT_NODE = 1;

export function isSilent(element: PageElement): boolean {
  return SILENT.has(element.tagName.toUpperCase());
}

export function isBlock(element: PageElement): boolean {
  return BLOCKS.has(element.tagName.toUpperCase());
}

const texts = new WeakMap<Node, string>();

/**
 * Text of an element as it is read: one space between words, scripts and styles left out, parts of different blocks apart, cents
 * that are only set smaller behind a point. Kept: the document may not change afterwards.
 */
export function textOf(node: Node): string {
  return collect(node).replace(/\s+/g, " ").trim();
}

function collect(node: Node): string {
  if (node.nodeType === TEXT_NODE) return node.textContent ?? "";
  if (node.nodeType !== ELEMENT_NODE) return "";
  const known = texts.get(node);
  if (known !== undefined) return known;
  const name = node.nodeName.toUpperCase();
  let inner = name === "I" ? signOf(node as PageElement) : "";
  if (!SILENT.has(name))
    for (const child of node.childNodes) {
      if (inner.length > MAX_TEXT) break;
      const piece = collect(child);
      inner += areCents(child, piece) && /\d$/.test(inner) ? `.${piece}` : piece;
    }
  const text = BLOCKS.has(name) ? ` ${inner.slice(0, MAX_TEXT)} ` : inner.slice(0, MAX_TEXT);
  texts.set(node, text);
  return text;
}

const SIGN = /(?:^|[\s-])(dollar|usd|euro|eur|pound|gbp|yen|rupee)(?:[\s-]|$)/i;
const SIGNS: Readonly<Record<string, string>> = {
  dollar: "$",
  usd: "$",
  euro: "€",
  eur: "€",
  pound: "£",
  gbp: "£",
  yen: "¥",
  rupee: "₹",
};

/** A currency's sign that a font of icons draws directly before a figure. */
function signOf(icon: PageElement): string {
  const [, named = ""] = SIGN.exec(icon.getAttribute("class") ?? "") ?? [];
  return /^\s*\d/.test(icon.nextSibling?.textContent ?? "") ? (SIGNS[named.toLowerCase()] ?? "") : "";
}

function areCents(node: Node, text: string): boolean {
  if (node.nodeType !== ELEMENT_NODE || !/^\d\d$/.test(text)) return false;
  return node.nodeName.toUpperCase() === "SUP" || /cent|decimal|fraction/i.test((node as PageElement).className ?? "");
}
