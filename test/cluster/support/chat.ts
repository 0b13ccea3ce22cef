import { serve } from "@hono/node-server";
import { Hono } from "hono";

/** A chat's incoming webhook: takes {"text": "…"} by POST and answers ok, as Slack does. GET /said tells what was said. */
export function serveChat(port: number): void {
  const said: unknown[] = [];
  const app = new Hono();
  app.get("/said", (c) => c.json(said));
  app.post("/hook", async (c) => {
    said.push(await c.req.json());
    return c.text("ok");
  });
  serve({ fetch: app.fetch, hostname: "0.0.0.0", port });
}
