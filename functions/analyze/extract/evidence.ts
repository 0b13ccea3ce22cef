import type { Evidence } from "../../../pipelines/market-analysis/analysis.ts";
import { type Box, boxOf } from "./marks.ts";
import { isSilent, type PageDocument, type PageElement } from "./visible.ts";

/** Where a page's findings are from. */
export interface EvidenceSource {
  /** Artifact key of the viewport's picture. */
  readonly screenshot: string;
  /** After redirects. */
  readonly url: string;
  /** When it was captured. */
  readonly at: string;
  /** Artifact key of the full page's picture, and the CSS pixels that it shows; none: nobody knows where anything is on it. */
  readonly fullPage?: { readonly image: string; readonly width: number; readonly height: number } | undefined;
}

/** Quotes the page. `element`: the smallest that says it, where it is drawn. */
export type Cite = (text: string, element?: PageElement | null) => Evidence;

const MAX_QUOTE = 300;
/** CSS pixels around what a crop shows. */
const PADDING = 12;

export function citing({ screenshot, url, at, fullPage }: EvidenceSource): Cite {
  return (text, element) => {
    const box = element && fullPage ? cropOf(boxOf(element), fullPage) : undefined;
    return {
      text: text.slice(0, MAX_QUOTE),
      screenshot,
      url,
      at,
      ...(box && fullPage ? { crop: { image: fullPage.image, box } } : {}),
    };
  };
}

/** Padded, within the picture; undefined for what is below its end. */
function cropOf(box: Box | undefined, { width, height }: { width: number; height: number }): Box | undefined {
  if (!box || box.y + box.height > height || box.x >= width) return undefined;
  const [x, y] = [Math.max(0, box.x - PADDING), Math.max(0, box.y - PADDING)];
  const right = Math.min(width, box.x + box.width + PADDING);
  return { x, y, width: right - x, height: Math.min(height, box.y + box.height + PADDING) - y };
}

/** Letters that are compared: more of a page is not searched. */
const MAX_LETTERS = 300_000;

/** Finds the smallest element that says a quote, whatever its white space and punctuation. */
export function quotesOf(document: PageDocument): (quote: string) => PageElement | undefined {
  let letters = "";
  const spans: { element: PageElement; from: number; to: number }[] = [];
  const read = (element: PageElement): void => {
    if (isSilent(element) || letters.length > MAX_LETTERS) return;
    const span = { element, from: letters.length, to: 0 };
    spans.push(span);
    for (const child of element.childNodes)
      if (child.nodeType === 3) letters += lettersOf(child.textContent ?? "");
      else if (child.nodeType === 1) read(child as PageElement);
    span.to = letters.length;
  };
  const body = document.querySelector("body");
  if (body) read(body);
  return (quote) => {
    const said = lettersOf(quote);
    const at = said === "" ? -1 : letters.indexOf(said);
    // In the page's order: of several within each other the last is the smallest.
    return at < 0 ? undefined : spans.findLast(({ from, to }) => from <= at && to >= at + said.length)?.element;
  };
}

function lettersOf(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}\p{Sc}]+/gu, "");
}
