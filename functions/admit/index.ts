import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { tooLarge } from "../../lib/error-response.ts";
import { METRIC } from "../../lib/telemetry/metrics.ts";
import { admissionAnswer, admissionReviewSchema } from "./admission-review.ts";
import type { AdmitDeps } from "./deps.ts";
import { judge } from "./judge.ts";

/** An object of 1.5 MB, which is all that etcd takes, comes twice: as it was, and as it is to be. */
const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Answers the API server's AdmissionReviews. Where it cannot judge it answers 500, and failurePolicy decides. */
export function createApp(deps: AdmitDeps): Hono {
  const app = new Hono();
  app.onError((error, c) => {
    deps.log.warn({ err: error }, "object not judged");
    return c.text(error.message, 500);
  });
  app.get("/health/liveness", (c) => c.body(null, 200));
  app.get("/health/readiness", (c) => c.body(null, deps.draining.aborted ? 503 : 200));
  app.post("/validate", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (c) => {
    const parsed = admissionReviewSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) return c.text("expected an AdmissionReview of admission.k8s.io/v1", 400);
    const { uid, object, operation } = parsed.data.request;
    const judgement = await judge(object, deps);
    const { kind, metadata } = object;
    METRIC.admissions.record(1, { kind, outcome: judgement.problems.length > 0 ? "refused" : "allowed" });
    if (judgement.problems.length > 0)
      deps.log.info({ kind, operation, name: metadata["name"], namespace: metadata["namespace"] }, "object refused");
    return c.json(admissionAnswer(uid, judgement));
  });
  return app;
}
