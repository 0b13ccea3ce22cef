import { serve } from "@hono/node-server";
import { HTTP } from "cloudevents";
import { Hono } from "hono";

/** Takes CloudEvents by POST and answers 200 with nothing, as a sink does; GET /events tells what came, DELETE /events forgets it. */
export function serveInbox(port: number): void {
  const events: { readonly at: string; readonly event: unknown }[] = [];
  const app = new Hono();
  app.get("/events", (c) => c.json(events));
  app.delete("/events", (c) => {
    events.length = 0;
    return c.body(null, 204);
  });
  app.get("/health", (c) => c.body(null, 200));
  app.post("*", async (c) => {
    const headers = Object.fromEntries(c.req.raw.headers);
    const body = await c.req.text();
    try {
      events.push({ at: new Date().toISOString(), event: HTTP.toEvent({ headers, body }) });
    } catch (error) {
      return c.text(`not a CloudEvent: ${error instanceof Error ? error.message : error}`, 400);
    }
    return c.body(null, 200);
  });
  serve({ fetch: app.fetch, hostname: "0.0.0.0", port });
}
