import { setImmediate as others } from "node:timers/promises";
import type { Tiktoken } from "js-tiktoken/lite";

/** Characters. Encoding one very long word takes quadratic time: text is counted in pieces, each of which may add a token to the sum. */
const PIECE = 200;

let encoder: Promise<Tiktoken> | undefined;

/** Tokens in o200k_base, the encoding of every model in the price table. The first call loads its table of 200,000 tokens. */
export async function countTokens(text: string): Promise<number> {
  encoder ??= loadEncoder();
  const tiktoken = await encoder;
  let tokens = 0;
  for (let at = 0; at < text.length; at += PIECE) {
    tokens += tiktoken.encode(text.slice(at, at + PIECE), [], []).length;
    // Whoever wrote the text chooses how long this takes: leases are renewed meanwhile.
    await others();
  }
  return tokens;
}

/** The longest start of a text that fits into `max` tokens, cut between words where possible. */
export async function truncateToTokens(text: string, max: number): Promise<string> {
  let kept = "";
  let left = max;
  for (let at = 0; at < text.length; at += PIECE) {
    const piece = text.slice(at, at + PIECE);
    const tokens = await countTokens(piece);
    if (tokens > left) return kept + piece.slice(0, Math.floor((piece.length * left) / tokens)).replace(/\s+\S*$/, "");
    kept += piece;
    left -= tokens;
  }
  return kept;
}

async function loadEncoder(): Promise<Tiktoken> {
  const [{ Tiktoken: Encoder }, { default: ranks }] = await Promise.all([
    import("js-tiktoken/lite"),
    import("js-tiktoken/ranks/o200k_base"),
  ]);
  return new Encoder(ranks);
}
