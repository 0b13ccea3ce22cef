import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

const BUTTONS =
  "button, [role='button'], input[type='submit'], a[class*='btn' i], a[class*='button' i], a[class*='cta' i]";
/** Buttons that operate the page and ask for no action. */
const NO_ACTION =
  /^(?:accept|reject|decline|allow|manage|close|ok|got it|menu|toggle|next|prev|previous|search|submit|monthly|yearly|annual(?:ly)?|month|year|show|hide|×|✕|☰|en|de|fr)\b.{0,20}$|cookie/iu;
const OUTSIDE =
  "[class*='cookie' i], [class*='consent' i], [id*='cookie' i], [id*='consent' i], [class*='toggle' i], [role='tablist'], details summary";
const MAX_ACTIONS = 20;

/** What the page asks its visitors to do. */
export function findCallsToAction(document: PageDocument, url: string, cite: Cite): Analysis["callsToAction"] {
  const found = new Map<string, Analysis["callsToAction"][number]>();
  for (const element of document.querySelectorAll(BUTTONS)) {
    const text = element.getAttribute("value") ?? textOf(element);
    if (text.length < 2 || text.length > 40 || NO_ACTION.test(text) || element.closest(OUTSIDE)) continue;
    const key = text.toLowerCase();
    if (found.has(key)) continue;
    const target = targetOf(element, url);
    found.set(key, { text, ...(target ? { target } : {}), evidence: cite(text, element) });
    if (found.size >= MAX_ACTIONS) break;
  }
  return [...found.values()];
}

function targetOf(element: PageElement, url: string): string | undefined {
  const href = element.getAttribute("href");
  return href && URL.canParse(href, url) ? new URL(href, url).href : undefined;
}
