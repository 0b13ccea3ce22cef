import { html } from "hono/html";
import type { Html } from "../page/html.ts";

/** A price's mark: a square counts something, such as users; a hollow one is a lower bound. */
export function mark(
  x: number,
  y: number,
  radius: number,
  { per, from, title }: { readonly per: string | undefined; readonly from: boolean; readonly title: string },
): Html {
  const kind = from ? "dot from" : "dot";
  const side = radius * 1.8;
  return per === undefined
    ? html`<circle class="${kind}" cx="${x}" cy="${y}" r="${radius}"><title>${title}</title></circle>`
    : html`<rect class="${kind}" x="${x - side / 2}" y="${y - side / 2}" width="${side}" height="${side}"><title>${title}</title></rect>`;
}

/** "a square is per user": undefined where all are flat. */
export function squareNote(pers: readonly (string | undefined)[]): string | undefined {
  const counted = [...new Set(pers.filter((per) => per !== undefined))];
  return counted.length ? `a square is per ${counted.join(" or ")}` : undefined;
}
