import { setTimeout as sleep } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { HTTP } from "cloudevents";
import { Hono } from "hono";
import { z } from "zod";

/** How an event wants to be answered: for tests of what a Broker does then. */
const answerSchema = z.object({
  /** Of each delivery in turn; the last holds for all that follow. */
  status: z.array(z.number()).default([200]),
  delayMs: z.number().default(0),
  /** An event in the answer, structured. */
  reply: z.record(z.string(), z.unknown()).optional(),
  /** A body that is no event. */
  text: z.string().optional(),
});
const dataSchema = z.object({ answer: answerSchema });

interface Received {
  readonly at: string;
  readonly event: { readonly id: string };
}

/**
 * Takes CloudEvents by POST and answers 200 with nothing, as a sink does, or as the event's `data.answer` says. GET /events tells
 * what came, DELETE /events forgets it.
 */
export function serveInbox(port: number): void {
  const events: Received[] = [];
  const app = new Hono();
  app.get("/events", (c) => c.json(events));
  app.delete("/events", (c) => {
    events.length = 0;
    return c.body(null, 204);
  });
  app.post("*", async (c) => {
    const headers = Object.fromEntries(c.req.raw.headers);
    const body = await c.req.text();
    let event: { readonly id: string; readonly data?: unknown };
    try {
      event = HTTP.toEvent({ headers, body }) as typeof event;
    } catch (error) {
      return c.text(`not a CloudEvent: ${error instanceof Error ? error.message : error}`, 400);
    }
    const before = events.filter((one) => one.event.id === event.id).length;
    events.push({ at: new Date().toISOString(), event });
    const asked = dataSchema.safeParse(event.data).data?.answer;
    if (!asked) return c.body(null, 200);
    await sleep(asked.delayMs);
    const status = asked.status[before] ?? asked.status.at(-1) ?? 200;
    if (asked.reply && status === 200)
      return c.body(JSON.stringify({ specversion: "1.0", source: "/inbox", ...asked.reply }), 200, {
        "content-type": "application/cloudevents+json",
      });
    return asked.text === undefined ? c.body(null, status as 200) : c.body(asked.text, status as 200);
  });
  serve({ fetch: app.fetch, hostname: "0.0.0.0", port });
}
