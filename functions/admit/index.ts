import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { tooLarge } from "../../lib/error-response.ts";
import { RetryableError } from "../../lib/errors.ts";
import { METRIC } from "../../lib/telemetry/metrics.ts";
import { admissionAnswer, admissionReviewSchema, recordReviewSchema } from "./admission-review.ts";
import { auditLetIn, auditRefused } from "./audit.ts";
import { conversionAnswer, conversionReviewSchema } from "./conversion-review.ts";
import type { AdmitDeps } from "./deps.ts";
import { judge } from "./judge.ts";

/** An object of 1.5 MB, which is all that etcd takes, comes twice: as it was, and as it is to be. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;
const limited = bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge });
/** Several objects may come at once. */
const MAX_OBJECTS_BYTES = 64 * 1024 * 1024;
const NO_REVIEW = "expected an AdmissionReview of admission.k8s.io/v1";

/** Answers the API server's AdmissionReviews, and its ConversionReviews. Where it cannot judge it answers 500, and failurePolicy decides. */
export function createApp(deps: AdmitDeps): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    deps.log[error instanceof RetryableError ? "warn" : "error"]({ err: error }, "object not judged");
    return c.text(error.message, 500);
  });
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  app.post("/validate", limited, async (c) => {
    const parsed = admissionReviewSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) return c.text(NO_REVIEW, 400);
    const { uid, object, operation } = parsed.data.request;
    const judgement = await judge(object, deps);
    const { problems } = judgement;
    METRIC.admissions.record(1, { kind: object.kind, outcome: problems.length > 0 ? "refused" : "allowed" });
    if (problems.length > 0) auditRefused(deps.log, problems, object, parsed.data.request);
    else auditLetIn(deps.log, operation, object, parsed.data.request);
    return c.json(admissionAnswer(uid, judgement));
  });
  // Whatever it is, it is let in: only to know who did it.
  app.post("/record", limited, async (c) => {
    const parsed = recordReviewSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) return c.text(NO_REVIEW, 400);
    const { request } = parsed.data;
    const object = request.operation === "DELETE" ? request.oldObject : request.object;
    auditLetIn(deps.log, request.operation, object, request);
    return c.json(admissionAnswer(request.uid, { problems: [], warnings: [] }));
  });
  app.post("/convert", bodyLimit({ maxSize: MAX_OBJECTS_BYTES, onError: tooLarge }), async (c) => {
    const parsed = conversionReviewSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) return c.text("expected a ConversionReview of apiextensions.k8s.io/v1", 400);
    return c.json(conversionAnswer(parsed.data.request));
  });
  return app;
}
