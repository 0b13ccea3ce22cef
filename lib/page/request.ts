import type { Context } from "hono";

/** The token that a program sends. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

/** The page's own origin as the browser sees it: TLS ends before this process. */
export function originOf(c: Context): string {
  return `${schemeOf(c)}://${new URL(c.req.url).host}`;
}

export function schemeOf(c: Context): string {
  const forwarded = c.req.header("x-forwarded-proto")?.split(",")[0]?.trim().toLowerCase();
  return forwarded ?? new URL(c.req.url).protocol.replace(":", "");
}
