import { parseHTML } from "linkedom";

/** A page nobody can read to its end is read as far as this. */
const MAX_ELEMENTS = 20_000;

export type PageElement = Element;
export type PageDocument = Document;

/** The document without what a visitor does not see, as far as the markup tells. */
export function visibleDocument(html: string): PageDocument {
  const { document } = parseHTML(html) as unknown as { document: PageDocument };
  for (const element of document.querySelectorAll(
    "template, noscript, svg title, [hidden], [aria-hidden='true'], dialog:not([open])",
  ))
    element.remove();
  let seen = 0;
  for (const element of [...document.querySelectorAll("*")]) {
    if (
      ++seen > MAX_ELEMENTS ||
      /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(element.getAttribute("style") ?? "")
    )
      element.remove();
  }
  return document;
}

/** Text of an element as it is read: one space between words, scripts and styles left out, parts of different blocks apart. */
export function textOf(node: Node): string {
  return collect(node).replace(/\s+/g, " ").trim();
}

const BLOCKS = new Set(
  "ADDRESS ARTICLE ASIDE BLOCKQUOTE BR BUTTON DD DIV DL DT FIGCAPTION FIGURE FOOTER FORM H1 H2 H3 H4 H5 H6 HEADER HR LI MAIN NAV OL P SECTION TABLE TBODY TD TH THEAD TR UL".split(
    " ",
  ),
);
const SILENT = new Set(["SCRIPT", "STYLE", "TEMPLATE", "NOSCRIPT", "SVG"]);
const TEXT_NODE = 3;
const ELEMENT_NODE = 1;

function collect(node: Node): string {
  if (node.nodeType === TEXT_NODE) return node.textContent ?? "";
  if (node.nodeType !== ELEMENT_NODE && node.nodeType !== 9 && node.nodeType !== 11) return "";
  const name = node.nodeName.toUpperCase();
  if (SILENT.has(name)) return "";
  const inner = [...node.childNodes].map(collect).join("");
  return BLOCKS.has(name) ? ` ${inner} ` : inner;
}
