import { createHash } from "node:crypto";
import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { csrf } from "hono/csrf";
import { HTTPException } from "hono/http-exception";
import { secureHeaders } from "hono/secure-headers";
import { artifactScope, isArtifactOf } from "../../engine/artifact-key.ts";
import type { ReviewRecord, ReviewRef } from "../../lib/edges/reviews.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { messagePage } from "../../lib/page/document.ts";
import { originOf } from "../../lib/page/request.ts";
import { STYLE } from "../../lib/page/style.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";
import { type Admitted, admit, auditDenied, type Refusal } from "./admit.ts";
import { decide, decisionRequestSchema, type Verdict } from "./decide.ts";
import type { ApproveDeps } from "./deps.ts";
import { answerForm } from "./form.ts";
import { createReviewLoader } from "./load.ts";
import { gatesPage } from "./page/gates-page.ts";
import { type ReviewPageOptions, reviewPage } from "./page/review-page.ts";
import { keepToken, tokenFor, tokensOf } from "./permission.ts";

/** A form has all corrections that were typed, percent-encoded. */
export const MAX_BODY_BYTES = 512 * 1024;

const styleHash = `'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`;
const pageHeaders = secureHeaders({
  contentSecurityPolicy: {
    defaultSrc: ["'none'"],
    styleSrc: [styleHash],
    imgSrc: ["'self'"],
    formAction: ["'self'"],
    frameAncestors: ["'none'"],
    baseUri: ["'none'"],
  },
  // With no-referrer a browser sends `Origin: null` with the page's own form.
  referrerPolicy: "same-origin",
});
const outputHeaders = secureHeaders({ referrerPolicy: "no-referrer" });

const OUTPUT_TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  md: "text/markdown; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  csv: "text/csv; charset=utf-8",
  json: "application/json",
  pdf: "application/pdf",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
};
/** What could run a script with the reviewer's permission. */
const ACTIVE = new Set(["html", "svg"]);

const WORKLOAD = "/:namespace/:name";
const GATE = `${WORKLOAD}/:gate`;

/** The pages of reviews, with their pictures and outputs, and the decision by form or as JSON. To be mounted at /review. */
export function createPages(deps: ApproveDeps): Hono {
  const pages = new Hono();
  const loader = createReviewLoader(deps.artifacts);

  pages.onError((error, c) => {
    if (error instanceof HTTPException && error.status === 403) {
      const [, , namespace, name, gate] = c.req.path.split("/");
      auditDenied(deps.log, { ...(namespace && name ? { namespace, name } : {}), gate }, FOREIGN_FORM);
      return say(c, FOREIGN_FORM);
    }
    const known = error instanceof RetryableError || error instanceof TerminalError;
    deps.log[error instanceof RetryableError ? "info" : "error"]({ err: error }, "review page failed");
    if (error instanceof RetryableError) c.header("retry-after", String(error.retryAfterSeconds));
    const reason = known ? error.reason : "Internal";
    const message = known ? error.message : "The review page has a defect. The log of approve says more.";
    return say(c, { status: error instanceof RetryableError ? 503 : 500, reason, message });
  });
  pages.use("*", async (c, next) => {
    c.header("cache-control", "no-store");
    await next();
  });
  for (const path of [WORKLOAD, GATE, `${GATE}/pictures/*`]) pages.use(path, pageHeaders);
  pages.use(`${GATE}/outputs/*`, outputHeaders);
  // A link's token moves into a cookie at once: neither the address bar nor the history keeps it.
  for (const path of [WORKLOAD, GATE])
    pages.get(path, async (c, next) => {
      const token = c.req.query("token");
      if (token === undefined) return next();
      const ref = refOf(c);
      const who = await deps.authorize(token, ref);
      if ("status" in who) {
        const refusal = { ...who, reason: "NotAllowed" };
        auditDenied(deps.log, { ...ref, gate: c.req.param("gate") }, refusal);
        return say(c, refusal);
      }
      keepToken(c, who.gate, token, workloadPath(ref));
      return c.redirect(gatePath(ref, who.gate), 303);
    });

  pages.get(WORKLOAD, async (c) => {
    const ref = refOf(c);
    const [first, ...more] = tokensOf(c);
    const seen = await Promise.all([first, ...more].map((token) => admit(deps, token, ref)));
    const admitted = seen.filter((one) => "record" in one);
    const [only] = admitted;
    const refusal = seen.find((one) => "status" in one);
    if (!only) return refusal ? say(c, refusal) : c.notFound();
    if (admitted.length === 1) return c.redirect(gatePath(ref, only.who.gate), 303);
    const records = admitted.map(({ record }) => record);
    return c.html(gatesPage(ref, records, { gateUrl: (gate) => gatePath(ref, gate), now: deps.now() }));
  });

  pages.get(GATE, async (c) => {
    const seen = await admitTo(deps, c);
    if ("status" in seen) return say(c, seen);
    return c.html(reviewPage(await loader.load(seen.record), { ...urlsOf(seen), now: deps.now() }));
  });

  pages.get(`${GATE}/pictures/:file`, async (c) => {
    const seen = await admitTo(deps, c);
    if ("status" in seen) return say(c, seen);
    const { workload } = seen.record;
    const key = `${artifactScope(workload)}/${c.req.param("file")}`;
    if (!(await loader.pictures(seen.record)).has(key)) return c.notFound();
    c.header("cache-control", "private, max-age=31536000, immutable");
    c.header("content-type", key.endsWith(".png") ? "image/png" : "image/jpeg");
    return c.body(new Uint8Array(await deps.artifacts.get(seen.record.workload, key)));
  });

  pages.get(`${GATE}/outputs/:output`, async (c) => {
    const seen = await admitTo(deps, c);
    if ("status" in seen) return say(c, seen);
    const key = outputOf(seen.record, c.req.param("output") ?? "");
    if (key === undefined) return c.notFound();
    const extension = key.slice(key.lastIndexOf(".") + 1);
    if (ACTIVE.has(extension)) c.header("content-security-policy", "sandbox");
    c.header("content-type", OUTPUT_TYPES[extension] ?? "application/octet-stream");
    return c.body(new Uint8Array(await deps.artifacts.get(seen.record.workload, key)));
  });

  pages.post(
    GATE,
    bodyLimit({ maxSize: MAX_BODY_BYTES, onError: (c) => say(c, TOO_LARGE) }),
    csrf({ origin: (origin, c) => origin === originOf(c) }),
    async (c) => {
      const seen = await admitTo(deps, c);
      if ("status" in seen) return say(c, seen);
      if (c.req.header("content-type")?.startsWith("application/json")) {
        const parsed = decisionRequestSchema.safeParse(await c.req.json().catch(() => undefined));
        const verdict: Verdict = parsed.success
          ? await decide(deps, seen, parsed.data)
          : { status: 400, reason: "InvalidDecision", message: schemaProblems(parsed.error) };
        return c.json(verdict.status === 200 ? verdict.decision : verdict, verdict.status);
      }
      const body: unknown = await c.req.parseBody().catch(() => undefined);
      const answer = await answerForm(body, seen, deps, loader, urlsOf(seen));
      return answer.status === 303 ? c.redirect(c.req.path, 303) : c.html(answer.page, answer.status);
    },
  );
  return pages;
}

interface Answer {
  readonly status: Refusal["status"] | 413 | 500 | 503;
  readonly reason: string;
  readonly message: string;
}

const FOREIGN_FORM: Answer = {
  status: 403,
  reason: "ForeignForm",
  message: "This form was not sent by the review page. Open the review by its link and decide there.",
};
const TOO_LARGE: Answer = {
  status: 413,
  reason: "TooLarge",
  message: `The request has more than ${MAX_BODY_BYTES / 1024} KB. A comment has at most 4,000 characters, corrections have 32,768.`,
};

/** A page for people, JSON for programs. */
function say(c: Context, { status, reason, message }: Answer): Response | Promise<Response> {
  if (!c.req.header("accept")?.includes("text/html")) return c.json({ reason, message }, status);
  return c.html(messagePage(reason.replaceAll(/(?<=[a-z])(?=[A-Z])/g, " "), message), status);
}

/** The review of the address, for somebody who may see it. */
function admitTo(deps: ApproveDeps, c: Context): Promise<Admitted | Refusal> {
  const gate = c.req.param("gate") ?? "";
  return admit(deps, tokenFor(c, gate), refOf(c), gate);
}

function refOf(c: Context): ReviewRef {
  return { namespace: c.req.param("namespace") ?? "", name: c.req.param("name") ?? "" };
}

function workloadPath({ namespace, name }: ReviewRef): string {
  return `/review/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
}

function gatePath(ref: ReviewRef, gate: string): string {
  return `${workloadPath(ref)}/${encodeURIComponent(gate)}`;
}

function urlsOf({
  record: { workload, review },
}: Admitted): Pick<ReviewPageOptions, "pictureUrl" | "outputUrl" | "formUrl"> {
  const base = gatePath(workload, review.gate);
  return {
    formUrl: base,
    pictureUrl: (key) => `${base}/pictures/${key.slice(key.lastIndexOf("/") + 1)}`,
    outputUrl: (name) => `${base}/outputs/${encodeURIComponent(name)}`,
  };
}

function outputOf({ outputs = {}, workload }: ReviewRecord, name: string): string | undefined {
  const key = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
  return key !== undefined && isArtifactOf(workload, key) ? key : undefined;
}
