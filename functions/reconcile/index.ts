import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { ObjectRef } from "../../lib/edges/kube.ts";
import { errorResponse } from "../../lib/error-response.ts";
import { TerminalError } from "../../lib/errors.ts";
import { parseEvent } from "../../lib/events.ts";
import { createAlarms } from "./alarms.ts";
import { keyOf } from "./key.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { type ReconcileDeps, reconcile } from "./reconcile.ts";
import { resync } from "./resync.ts";

export interface ReconcileAppDeps extends ReconcileDeps {
  readonly markUndeliverable: (identity: string, why: string) => Promise<void>;
  readonly draining: AbortSignal;
}

/** References and results are small. */
const MAX_EVENT_BYTES = 1024 * 1024;

/** Takes CloudEvents, each only a hint that a workload may have something to do; answers when that is done. */
export function createApp(deps: ReconcileAppDeps): Hono {
  const app = new Hono();
  const work = oneAtATime(async (key) => {
    const [namespace = "", name = ""] = key.split("/");
    lookAgain(key, await reconcile({ namespace, name }, deps), deps.now());
  });
  const lookAgain = createAlarms((key) => {
    // What keeps it from going on is said in its status.
    work(key).catch(() => undefined);
  });
  const bringOn = ({ namespace, name }: ObjectRef, inFlock = false): Promise<void> =>
    work(`${namespace}/${name}`, { inFlock });

  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  const tooLarge = (c: Context) => c.body(null, 413, { "agentic-reason": "TooLarge", connection: "close" });
  app.post("/", bodyLimit({ maxSize: MAX_EVENT_BYTES, onError: tooLarge }), async (c) => {
    const event = parseEvent(Object.fromEntries(c.req.raw.headers), await c.req.text());
    const key = keyOf(event);
    switch (key.of) {
      case "nothing":
        throw new TerminalError("NotForReconcile", key.why);
      case "deadLetter":
        await deps.markUndeliverable(key.identity, key.why);
        await bringOn(key.ref);
        break;
      case "one":
        await bringOn(key.ref, key.inFlock);
        break;
      case "all":
        await resync(deps.kube, bringOn);
    }
    return c.body(null, 200);
  });
  app.onError((error, c) => errorResponse(error, c, deps.log));
  return app;
}
