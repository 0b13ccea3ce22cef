import type { PageElement } from "./visible.ts";

/** A rectangle of the full page, in CSS pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const BOX = "data-agentic-box";
const STYLE = "data-agentic-style";

/** Whether scrape marked what style sheets say (docs/adr/0045): older captures and plain markup have no marks. */
export function isMarked(root: ParentNode): boolean {
  return root.querySelector(`[${BOX}]`) !== null;
}

/** Of an element with text of its own, a control or a picture. */
export function ownBox(element: PageElement): Box | undefined {
  const [x = 0, y = 0, width = 0, height = 0] = numbersOf(element);
  return width > 0 && height > 0 ? { x, y, width, height } : undefined;
}

/** CSS pixels of a control's font. */
export function fontOf(control: PageElement): number | undefined {
  return numbersOf(control)[4];
}

/** Of all that is drawn of an element. */
export function boxOf(element: PageElement): Box | undefined {
  const boxes = [element, ...element.querySelectorAll(`[${BOX}]`)].flatMap((one) => ownBox(one) ?? []);
  const [first] = boxes;
  if (!first) return undefined;
  let { x, y, width, height } = first;
  let [right, bottom] = [x + width, y + height];
  for (const one of boxes) {
    [x, y] = [Math.min(x, one.x), Math.min(y, one.y)];
    [right, bottom] = [Math.max(right, one.x + one.width), Math.max(bottom, one.y + one.height)];
  }
  [width, height] = [right - x, bottom - y];
  return { x, y, width, height };
}

/** How a control is drawn: "filled" with a colour of its own, "outlined", or only "tinted"; undefined where it does not stand out. */
export function lookOf(control: PageElement): "filled" | "outlined" | "tinted" | undefined {
  const styles = control.getAttribute(STYLE)?.split(" ") ?? [];
  return (["filled", "outlined", "tinted"] as const).find((one) => styles.includes(one));
}

function numbersOf(element: PageElement): number[] {
  const written = element.getAttribute(BOX) ?? "";
  return /^\d{1,7}(?: \d{1,7}){3,4}$/.test(written) ? written.split(" ").map(Number) : [];
}
