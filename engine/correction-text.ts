import type { Correction } from "../crd/agentworkload.ts";
import { canonicalJson } from "./canonical.ts";
import type { Item } from "./result.ts";

// How a correction names its item, and how it reads.

/** How a correction names an item; undefined: the step has none. */
export function itemName(item: Item | undefined): string | undefined {
  return item === undefined || typeof item === "string" ? item : canonicalJson(item);
}

/** Corrections that a sentence names. */
const MAX_NAMED = 10;

/** What a decision says besides what it decides, to follow that: its comment, and what it says of single facts. Empty: nothing. */
export function remarksText({
  comment,
  corrections = [],
}: {
  readonly comment?: string | undefined;
  readonly corrections?: readonly Correction[] | undefined;
}): string {
  const named = corrections.slice(0, MAX_NAMED).map(correctionText);
  const more = corrections.length - named.length;
  const facts = [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
  return [comment ? `: ${comment}` : "", facts ? `${comment ? " (" : ": "}${facts}${comment ? ")" : ""}` : ""].join("");
}

function correctionText({ of, action, value = "", comment }: Correction): string {
  const what = {
    strike: "struck",
    correct: `corrected to ${quoted(value)}`,
    comment: "commented",
    keep: "kept as found",
  }[action];
  return `${quoted(of)} ${what}${comment ? `: ${comment}` : ""}`;
}

const MAX_QUOTED = 100;

export function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}
