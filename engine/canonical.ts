import { createHash } from "node:crypto";
import canonicalize from "canonicalize";

/**
 * RFC 8785 JSON: equal data gives equal bytes, whatever order it was built in. Halves of surrogate pairs, which a cut text may end
 * with and UTF-8 cannot hold, become U+FFFD. @throws TypeError for what JSON cannot hold
 */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(isWellFormed(value) ? value : JSON.parse(wellFormed(value)));
  if (text === undefined) throw new TypeError(`${typeof value} has no JSON form`);
  return text;
}

/** JSON.stringify writes lone surrogates as escapes, and whole ones as they are. */
const LONE_SURROGATE = /\\ud[89a-f][0-9a-f]{2}/i;

function isWellFormed(value: unknown): boolean {
  return !LONE_SURROGATE.test(JSON.stringify(value) ?? "");
}

function wellFormed(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === "string" ? part.toWellFormed() : part));
}

/** Lower-case hex SHA-256, 64 characters. */
export function sha256(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}
