import { Hono } from "hono";
import type { Logger } from "../../lib/log.ts";
import { LIMITS, type Limits, type ReaderOf } from "./deps.ts";
import type { Feed } from "./feed.ts";
import { createPages } from "./pages.ts";
import { createSession } from "./sign-in.ts";

export interface RunsDeps {
  readonly feed: Feed;
  readonly readerOfToken: ReaderOf;
  readonly now: () => Date;
  readonly log: Logger;
  readonly draining: AbortSignal;
  readonly limits?: Limits;
}

const BASE = "/runs";

/** Shows runs, as they go on, to whoever may read their AgentWorkloads. Writes nothing. */
export function createApp({ readerOfToken, limits = LIMITS, ...deps }: RunsDeps): Hono {
  const { log, draining } = deps;
  const { readerOf, refuse, forms } = createSession({ base: BASE, readerOfToken, log });
  const app = new Hono();
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, draining.aborted ? 503 : 200));
  app.get("/", (c) => c.redirect(BASE, 303));
  app.route(BASE, createPages({ ...deps, base: BASE, readerOf, refuse, signsOut: true, limits }));
  app.route(BASE, forms);
  return app;
}
