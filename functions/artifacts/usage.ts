import { Hono } from "hono";
import { stream } from "hono/streaming";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { Permissions } from "../../lib/edges/kube-permissions.ts";
import type { UsageStore } from "../../lib/edges/usage-store.ts";
import { errorResponse } from "../../lib/error-response.ts";
import type { Logger } from "../../lib/log.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";
import { USAGE_AUDIENCE, USAGE_DENIED, USAGE_TOKEN_HEADER, type UsageLine } from "../../lib/usage/served.ts";

export interface UsageAppDeps {
  readonly usage: Pick<UsageStore, "inMonth">;
  readonly permissions: Pick<Permissions, "whoIs">;
  readonly log: Logger;
}

/**
 * Hands out what runs used in a month, to whoever may make tokens of service accounts of a namespace: of that namespace; of the control
 * plane's own, of all. The API server's proxy takes a caller's own credentials away, and a certificate is no token: so the caller has the API
 * server make one, for this use alone.
 */
export function createUsageApp({ usage, permissions, log }: UsageAppDeps): Hono {
  const app = new Hono();
  app.onError((error, c) => errorResponse(error, c, log));
  app.get("/:month", async (c) => {
    const { month } = c.req.param();
    const asked = c.req.query("namespace");
    c.header("cache-control", "no-store");
    if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) return c.json({ error: "expected a month, as 2026-11" }, 400);
    const token = c.req.header(USAGE_TOKEN_HEADER) ?? "";
    const user =
      token.length > 0 && token.length <= MAX_TOKEN ? await permissions.whoIs(token, USAGE_AUDIENCE) : undefined;
    const own = namespaceOf(user?.name);
    const mayRead = own !== undefined && (own === SHARED_NAMESPACE || own === asked);
    if (!mayRead) {
      AUDIT.accessDenied.record(log, {
        ...(user ? { "user.name": user.name } : {}),
        [ATTRIBUTE.namespace]: asked ?? "",
        [ATTRIBUTE.reason]: USAGE_DENIED,
      });
      return c.json({ error: "the token permits no usage of that" }, user ? 403 : 401, {
        "agentic-reason": USAGE_DENIED,
      });
    }
    log.info({ month, namespace: asked, user: user?.name }, "usage read");
    c.header("content-type", "application/x-ndjson");
    return stream(c, async (out) => {
      for await (const lines of linesOf(usage.inMonth(month, asked))) await out.write(lines);
    });
  });
  return app;
}

/** More than any token has that the API server makes. */
const MAX_TOKEN = 8 * 1024;

/** Of a service account. */
function namespaceOf(user = ""): string | undefined {
  return /^system:serviceaccount:([^:]+):[^:]+$/.exec(user)?.[1];
}

/** The last one says that it is: an answer that breaks off is no smaller bill. */
async function* linesOf(pages: ReturnType<UsageStore["inMonth"]>): AsyncGenerator<string> {
  const lineOf = (line: UsageLine): string => `${JSON.stringify(line)}\n`;
  let lines = 0;
  for await (const page of pages) {
    lines += page.length;
    yield page.map((one) => lineOf("broken" in one ? { broken: one.broken } : { file: one.file })).join("");
  }
  yield lineOf({ end: lines });
}
