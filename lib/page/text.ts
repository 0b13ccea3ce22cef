import type { Item } from "../../engine/result.ts";

/** 2026-01-31 09:30 UTC */
export function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

/** US dollars, for people. */
export function usd(dollars: number): string {
  if (dollars === 0) return "nothing";
  return dollars < 0.00005 ? "less than $0.0001" : `$${dollars.toFixed(4)}`;
}

export function clip(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The address in its standard form when it is one of http or https. Nothing else becomes a link. */
export function httpUrl(text: string): string | undefined {
  const url = URL.parse(text);
  return url && ["http:", "https:"].includes(url.protocol) ? url.href : undefined;
}

/** An item in one line: an object by its fields. */
export function itemText(item: Item): string {
  if (typeof item === "string") return item;
  return Object.entries(item)
    .map(([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}
