import { serve } from "@hono/node-server";
import { HTTP } from "cloudevents";
import { type Context, Hono } from "hono";
import { z } from "zod";

export const NONSENSE = ["html", "empty", "notFound", "large", "redirect", "otherType", "schema", "never"] as const;
type Nonsense = (typeof NONSENSE)[number];

const requestSchema = z.looseObject({
  id: z.string(),
  data: z.looseObject({
    token: z.string(),
    input: z.looseObject({ params: z.looseObject({ nonsense: z.enum(NONSENSE) }) }),
  }),
});
type Request = z.infer<typeof requestSchema>;

const LARGE_BYTES = 10 * 1024 * 1024;

/** An agent that does not speak the step contract: the input `nonsense` of a step says how it answers instead. */
export function serveNonsense(port: number): void {
  const app = new Hono();
  app.get("/health/readiness", (c) => c.body(null, 200));
  app.get("/elsewhere", (c) => c.text("nothing here"));
  app.post("/", async (c) => {
    const event = HTTP.toEvent({ headers: Object.fromEntries(c.req.raw.headers), body: await c.req.text() });
    const request = requestSchema.safeParse(event).data;
    // A hint that requests will come.
    if (!request) return c.body(null, 200);
    console.log(JSON.stringify({ nonsense: request.data.input.params.nonsense, id: request.id }));
    return answer(request.data.input.params.nonsense, request, c);
  });
  serve({ fetch: app.fetch, hostname: "0.0.0.0", port });
}

function answer(nonsense: Nonsense, request: Request, c: Context): Response | Promise<Response> {
  switch (nonsense) {
    case "html":
      return c.html("<h1>It works!</h1>");
    case "empty":
      return c.body(null, 200);
    case "notFound":
      return c.text("no such page", 404);
    case "large":
      return completed(c, request, {
        outcome: "succeeded",
        artifacts: {},
        usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 },
        data: "x".repeat(LARGE_BYTES),
      });
    case "redirect":
      return c.redirect("/elsewhere", 302);
    case "otherType":
      return eventOf(c, { id: `${request.id}-other`, type: "com.example.other" });
    case "schema":
      return completed(c, request, { status: "ok", answer: 42 });
    case "never":
      return new Promise(() => undefined);
  }
}

/** With the step's token, as an agent sends it that keeps no records of its own. */
function completed(c: Context, { id, data }: Request, result: object): Response {
  return eventOf(c, {
    id: `${id}-completed`,
    type: "dev.agentic.step.completed",
    subject: c.req.header("ce-subject") ?? "",
    datacontenttype: "application/json",
    data: { request: id, token: data.token, ...result },
  });
}

function eventOf(c: Context, attributes: object): Response {
  const body = { specversion: "1.0", source: "/nonsense", ...attributes };
  return c.body(JSON.stringify(body), 200, { "content-type": "application/cloudevents+json" });
}
