import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { isArtifactOf } from "../../engine/artifact-key.ts";
import { type ArtifactReader, getIfKept } from "../../lib/edges/artifacts.ts";
import { errorResponse } from "../../lib/error-response.ts";
import type { Logger } from "../../lib/log.ts";
import { ATTRIBUTE } from "../../lib/telemetry/attributes.ts";
import { AUDIT } from "../../lib/telemetry/audit.ts";
import { createUsageApp, type UsageAppDeps } from "./usage.ts";

export interface ArtifactsDeps {
  readonly artifacts: ArtifactReader;
  /** `/usage`: what runs used. */
  readonly usage: Omit<UsageAppDeps, "log">;
  readonly log: Logger;
  readonly draining: AbortSignal;
}

/** As the API server gives them: nothing is handed out that is no workload's. */
const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Hands out what a run left to whoever knows its key, through the API server's proxy, and lists nothing. A key cannot be guessed, and
 * stands in what only readers of the workload can read: its status, and the artifacts that that names (docs/adr/0029).
 */
export function createApp({ artifacts, usage, log, draining }: ArtifactsDeps): Hono {
  const app = new Hono();
  app.route("/usage", createUsageApp({ ...usage, log }));
  app.onError((error, c) => errorResponse(error, c, log));
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, draining.aborted ? 503 : 200));
  app.get("/:namespace/:uid/:file", secureHeaders({ referrerPolicy: "no-referrer" }), async (c) => {
    const { namespace, uid, file } = c.req.param();
    const key = `${namespace}/${uid}/${file}`;
    const isKey = UID.test(uid) && isArtifactOf({ namespace, uid }, key);
    const bytes = isKey ? await getIfKept(artifacts, { namespace, uid }, key) : undefined;
    c.header("cache-control", "no-store");
    if (!bytes) {
      // Not the key: one that was there opens it again when its step is done again.
      AUDIT.accessDenied.record(log, {
        [ATTRIBUTE.namespace]: namespace,
        [ATTRIBUTE.uid]: uid,
        [ATTRIBUTE.reason]: "ArtifactMissing",
      });
      return c.body(null, 404, { "agentic-reason": "ArtifactMissing" });
    }
    log.info({ key, bytes: bytes.length }, "artifact read");
    // No type that a browser would show as a page of the API server's; its proxy also rewrites the links of what says that it is HTML.
    c.header("content-type", "application/octet-stream");
    c.header("content-disposition", "attachment");
    c.header("content-length", String(bytes.length));
    return c.body(new Uint8Array(bytes));
  });
  return app;
}
