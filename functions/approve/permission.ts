import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { bearerOf, schemeOf } from "../../lib/page/request.ts";

// A review link's token, as a browser keeps it: for each gate of a workload a cookie of its own.

const COOKIE = "agentic-review-";
/** A token has at most 1 KB, and Node takes 16 KB of headers. */
const MAX_COOKIES = 10;

/** Keeps the token for the gate. @param path the workload's, below which the browser sends it */
export function keepToken(c: Context, gate: string, token: string, path: string): void {
  const others = Object.keys(getCookie(c)).filter((name) => name.startsWith(COOKIE) && name !== COOKIE + gate);
  // A browser sends the oldest first.
  for (const name of others.slice(0, -(MAX_COOKIES - 1))) deleteCookie(c, name, { path });
  setCookie(c, COOKIE + gate, token, {
    httpOnly: true,
    // Strict would not arrive when the link was followed from another origin, e.g. from mail in a browser.
    sameSite: "Lax",
    path,
    secure: schemeOf(c) === "https",
  });
}

/** The token for the gate: a program sends it as a bearer token. */
export function tokenFor(c: Context, gate: string): string | undefined {
  return bearerOf(c) ?? getCookie(c, COOKIE + gate);
}

/** All tokens for gates of the workload that the address names. */
export function tokensOf(c: Context): readonly string[] {
  const bearer = bearerOf(c);
  if (bearer !== undefined) return [bearer];
  return Object.entries(getCookie(c)).flatMap(([name, value]) => (name.startsWith(COOKIE) ? [value] : []));
}
