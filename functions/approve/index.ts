import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { getCookie, setCookie } from "hono/cookie";
import { secureHeaders } from "hono/secure-headers";
import { z } from "zod";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { Review, ReviewRef, Reviews } from "../../lib/edges/reviews.ts";
import type { Logger } from "../../lib/log.ts";
import type { Authorize, Authorized } from "../../lib/review-link.ts";
import { type DecisionRequest, decide, decisionRequestSchema, type Verdict } from "./decide.ts";
import { decidedByEvent } from "./event.ts";
import { loadReview, picturesOf } from "./load.ts";
import { messagePage, type PageOptions, reviewPage } from "./page/page.ts";
import { STYLE } from "./page/style.ts";

export interface ApproveDeps {
  readonly reviews: Reviews;
  readonly artifacts: Artifacts;
  readonly authorize: Authorize;
  readonly now: () => Date;
  readonly log: Logger;
  readonly draining: AbortSignal;
}

const COOKIE = "agentic-review";
const REPORT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  markdown: "text/markdown; charset=utf-8",
  json: "application/json",
  pdf: "application/pdf",
};
const MAX_BODY_BYTES = 64 * 1024;
const styleHash = `'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`;

/** The review page and the decision: by form, as JSON, or as a CloudEvent; one code path behind them (decide.ts). */
export function createApp(deps: ApproveDeps): Hono {
  const app = new Hono();
  const path = "/review/:namespace/:name";
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  // The report brings a policy of its own.
  for (const page of [path, `${path}/pictures/*`])
    app.use(
      page,
      secureHeaders({
        contentSecurityPolicy: {
          defaultSrc: ["'none'"],
          styleSrc: [styleHash],
          imgSrc: ["'self'"],
          formAction: ["'self'"],
          frameAncestors: ["'none'"],
          baseUri: ["'none'"],
        },
        referrerPolicy: "no-referrer",
      }),
    );

  app.get(path, async (c) => {
    const ref = refOf(c);
    // The link's token moves to a cookie at once, so that it stands neither in the address bar nor in a history.
    const token = c.req.query("token");
    if (token !== undefined) {
      setCookie(c, COOKIE, token, {
        httpOnly: true,
        sameSite: "Strict",
        path: c.req.path,
        secure: new URL(c.req.url).protocol === "https:",
      });
      return c.redirect(c.req.path, 303);
    }
    const seen = await admit(deps, c, ref);
    if (seen instanceof Response) return seen;
    return c.html(reviewPage(await loadReview(deps.artifacts, seen.review), urlsOf(c)));
  });

  app.get(`${path}/pictures/:file`, async (c) => {
    const seen = await admit(deps, c, refOf(c));
    if (seen instanceof Response) return seen;
    const key = `${seen.review.workload.uid}/${c.req.param("file")}`;
    if (!picturesOf(await loadReview(deps.artifacts, seen.review)).has(key)) return c.notFound();
    c.header("cache-control", "private, max-age=31536000, immutable");
    c.header("content-type", key.endsWith(".png") ? "image/png" : "image/jpeg");
    return c.body(new Uint8Array(await deps.artifacts.get(key)));
  });

  app.get(`${path}/report/:format`, async (c) => {
    const seen = await admit(deps, c, refOf(c));
    if (seen instanceof Response) return seen;
    const format = c.req.param("format");
    const key = seen.review.report?.[format];
    if (key === undefined) return c.notFound();
    c.header("content-type", REPORT_TYPES[format] ?? "application/octet-stream");
    c.header("x-content-type-options", "nosniff");
    return c.body(new Uint8Array(await deps.artifacts.get(key)));
  });

  app.post(path, bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
    const ref = refOf(c);
    const asJson = c.req.header("content-type")?.startsWith("application/json") ?? false;
    const seen = await admit(deps, c, ref);
    if (seen instanceof Response) return seen;
    const body: unknown = asJson ? await c.req.json().catch(() => undefined) : await c.req.parseBody();
    const parsed = decisionRequestSchema.safeParse(body);
    const verdict: Verdict | { status: 400; reason: string; message: string } = parsed.success
      ? await decided(deps, ref, parsed.data, seen.who)
      : { status: 400, reason: "InvalidDecision", message: z.prettifyError(parsed.error) };
    if (asJson) return c.json(verdict.status === 200 ? verdict.decision : verdict, verdict.status);
    if (verdict.status === 200) return c.redirect(c.req.path, 303);
    const view = await loadReview(deps.artifacts, (await deps.reviews.read(ref)) ?? seen.review);
    const comment = commentOf(body);
    const page = reviewPage(view, {
      ...urlsOf(c),
      problem: verdict.message,
      ...(comment ? { comment } : {}),
    });
    return c.html(page, verdict.status);
  });

  app.post("/", bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
    const event = decidedByEvent(Object.fromEntries(c.req.raw.headers), await c.req.text());
    if ("problem" in event) {
      deps.log.warn({ problem: event.problem }, "event refused");
      return refuse(c, 400, event.problem);
    }
    const who = await deps.authorize(event.token, event.ref);
    if ("status" in who) return refuse(c, who.status, who.message);
    const verdict = await decided(deps, event.ref, event.request, who);
    return verdict.status === 200
      ? c.body(null, 200)
      : refuse(c, verdict.status, `${verdict.reason}: ${verdict.message}`);
  });
  return app;
}

/** For a Broker: an empty body, the reason in a header. */
function refuse(c: Context, status: 400 | 401 | 403 | 404 | 409, message: string): Response {
  c.header("agentic-message", encodeURIComponent(message));
  return c.body(null, status);
}

async function decided(deps: ApproveDeps, ref: ReviewRef, request: DecisionRequest, who: Authorized): Promise<Verdict> {
  const verdict = await decide(deps.reviews, ref, request, who, deps.now());
  const outcome = verdict.status === 200 ? { decision: verdict.decision.decision } : { refused: verdict.reason };
  deps.log.info(
    { review: `${ref.namespace}/${ref.name}`, digest: request.digest, by: who.by, ...outcome },
    "review decision",
  );
  return verdict;
}

/** The review, for somebody who may see it; else the answer that says why not. */
async function admit(
  deps: ApproveDeps,
  c: Context,
  ref: ReviewRef,
): Promise<{ review: Review; who: Authorized } | Response> {
  const bearer = /^Bearer (.+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
  const who = await deps.authorize(bearer ?? getCookie(c, COOKIE), ref);
  const asPage = c.req.header("accept")?.includes("text/html") ?? false;
  const say = (status: 401 | 403 | 404, title: string, message: string): Response | Promise<Response> =>
    asPage
      ? c.html(messagePage(title, message), status)
      : c.json({ reason: title.replaceAll(" ", ""), message }, status);
  if ("status" in who) return say(who.status, "Not Allowed", who.message);
  const review = await deps.reviews.read(ref);
  if (!review) return say(404, "No Review", `No review is open for ${ref.namespace}/${ref.name}.`);
  return { review, who };
}

function refOf(c: Context): ReviewRef {
  return { namespace: c.req.param("namespace") ?? "", name: c.req.param("name") ?? "" };
}

function urlsOf(c: Context): Pick<PageOptions, "pictureUrl" | "reportUrl"> {
  return {
    pictureUrl: (key) => `${c.req.path}/pictures/${key.slice(key.lastIndexOf("/") + 1)}`,
    reportUrl: (format) => `${c.req.path}/report/${format}`,
  };
}

function commentOf(body: unknown): string | undefined {
  const comment = (body as { comment?: unknown } | undefined)?.comment;
  return typeof comment === "string" ? comment : undefined;
}
