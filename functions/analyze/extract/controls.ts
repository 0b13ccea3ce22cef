import { type Box, boxOf, fontOf, isMarked, lookOf, ownBox } from "./marks.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

/** A link or button that a visitor takes for a control. */
export interface Control {
  readonly element: PageElement;
  readonly text: string;
  readonly look: "filled" | "outlined" | "tinted" | "plain";
  /** Where it is drawn; undefined without marks. */
  readonly box: Box | undefined;
}

const CONTROLS =
  "a, button, [role='button'], input[type='submit'], input[type='button'], input[type='image'], [data-agentic-style~='pointer']";
/** How markup alone says that a link is drawn as a button. */
const CALLED_BUTTON =
  "button, [role='button'], input, a[class*='btn' i], a[class*='button' i], a[class*='cta' i], a:has(> button)";
const MAX_LABEL = 40;
/** They are compared with each other: a page of thousands says nothing more with the rest. */
const MAX_CONTROLS = 400;
/** Of the parts of one control. */
const MAX_PARTS = 20;
/** CSS pixels: what is higher is a tile, what is lower a badge or a word in a line. */
const HEIGHT = { min: 20, max: 100 };
const MIN_FONT = 11;
/** CSS pixels that one line, and what two of a badge, take at most. */
const LINES = { one: 8, badge: 70 };

/** In the page's order: by their looks where scrape marked them, else by their markup. */
export function findControls(document: PageDocument): Control[] {
  const marked = isMarked(document);
  const found: Control[] = [];
  for (const element of document.querySelectorAll(CONTROLS)) {
    if (found.length === MAX_CONTROLS) break;
    // In the page's order: what holds it was the last one found.
    if (found.at(-1)?.element.contains(element)) continue;
    const text = labelOf(element) || storeBadge(element);
    if (text.length < 2 || text.length > MAX_LABEL || !/\p{L}/u.test(text)) continue;
    const box = marked ? boxOf(element) : undefined;
    const look = marked ? drawnLook(element, box) : element.matches(CALLED_BUTTON) ? "filled" : undefined;
    if (look) found.push({ element, text, look, box });
  }
  return found;
}

/** Undefined for what is not drawn, or larger or smaller than controls are. */
function drawnLook(element: PageElement, box: Box | undefined): Control["look"] | undefined {
  if (!box || box.height > HEIGHT.max || isTile(element, box.height)) return undefined;
  const look = lookOf(element);
  if (storeBadge(element) !== "" && labelOf(element) === "") return "filled";
  return look && box.height >= HEIGHT.min && (fontOf(element) ?? MIN_FONT) >= MIN_FONT ? look : "plain";
}

/** Says one thing above another: a card that is a link. */
function isTile(element: PageElement, height: number): boolean {
  const boxes = [...element.querySelectorAll("*")]
    .slice(0, MAX_PARTS)
    .flatMap((one) => (textOf(one) === "" ? [] : (ownBox(one) ?? [])));
  const stacked = boxes.some((one) => boxes.some((other) => one.y + one.height <= other.y + LINES.one / 2));
  return stacked && height > LINES.badge;
}

/** What is written on the stores' badges, which are pictures everywhere. */
const BADGES: readonly (readonly [RegExp, string])[] = [
  [/google[-_ ]?play|play[-_ ]?store/i, "Get it on Google Play"],
  [/app[-_ ]?store/i, "Download on the App Store"],
];

function storeBadge(link: PageElement): string {
  const picture = link.querySelector("img");
  const named = `${picture?.getAttribute("src") ?? ""} ${picture?.getAttribute("alt") ?? ""}`;
  return BADGES.find(([pattern]) => picture && pattern.test(named))?.[1] ?? "";
}

const ICONS = "svg, [class*='material-icon' i], [class*='material-symbol' i], .sr-only, [class*='badge' i]";

/** What a control says, without its icons, whose names may be letters. */
export function labelOf(element: PageElement): string {
  if (element.tagName === "INPUT")
    return (element.getAttribute("value") ?? element.getAttribute("alt") ?? "Submit").trim();
  const text = [...element.querySelectorAll(ICONS)].reduce(
    (left, icon) => without(left, textOf(icon)),
    textOf(element),
  );
  return text
    .replace(/^[^\p{L}\p{N}\p{Sc}“"'¿¡(]+|[\s→←»«›‹↗➔➜▸▶▾▼]+$/gu, "")
    .replace(/\s+/g, " ")
    .trim();
}

function without(text: string, part: string): string {
  return part === "" ? text : text.replace(part, " ");
}
