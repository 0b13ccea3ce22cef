import type { Tiktoken } from "js-tiktoken/lite";

/** The merge of one word without an end takes quadratic time: text is counted in pieces, which can only count a few tokens more. */
const PIECE = 2_000;

const STEP = 200;

let encoder: Promise<Tiktoken> | undefined;

/** Tokens in o200k_base, the encoding of every model in the price table. The table of 200,000 tokens is loaded at the first call. */
export async function countTokens(text: string): Promise<number> {
  encoder ??= loadEncoder();
  const { encode } = await encoder.then((tiktoken) => ({ encode: tiktoken.encode.bind(tiktoken) }));
  let tokens = 0;
  for (let at = 0; at < text.length; at += PIECE) tokens += encode(text.slice(at, at + PIECE), [], []).length;
  return tokens;
}

/** As much of a text as fits, whole words where that is close. */
export async function truncateToTokens(text: string, max: number): Promise<string> {
  let kept = "";
  let left = max;
  for (let at = 0; at < text.length; at += STEP) {
    const piece = text.slice(at, at + STEP);
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
