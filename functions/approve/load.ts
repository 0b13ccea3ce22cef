import { type Artifacts, getJson } from "../../lib/edges/artifacts.ts";
import type { Review } from "../../lib/edges/reviews.ts";
import type { StepResult } from "../../lib/step.ts";
import { type Analysis, analysisSchema } from "../../pipeline/analysis.ts";
import { type Capture, captureSchema } from "../../pipeline/capture.ts";
import { findingsSchema } from "../../pipeline/findings.ts";

/** One site as the reviewer sees it. */
export interface SiteView {
  readonly site: string;
  readonly capture?: Capture;
  readonly analysis?: Analysis;
  /** Present when a step of the site failed. */
  readonly failure?: { readonly step: string; readonly reason: string; readonly message: string };
}

export interface ReviewView {
  readonly review: Review;
  readonly objective: string;
  readonly sites: readonly SiteView[];
}

/** Everything the page shows, read through the findings: nothing that the digest does not cover. */
export async function loadReview(artifacts: Artifacts, review: Review): Promise<ReviewView> {
  const findings = await getJson(artifacts, review.findings, findingsSchema);
  const sites = await Promise.all(
    findings.items.map(async ({ item, steps }): Promise<SiteView> => {
      const captureKey = steps["scrape"]?.artifacts["capture"];
      const analysisKey = steps["analyze"]?.artifacts["analysis"];
      return {
        site: item,
        ...(captureKey ? { capture: await getJson(artifacts, captureKey, captureSchema) } : {}),
        ...(analysisKey ? { analysis: await getJson(artifacts, analysisKey, analysisSchema) } : {}),
        ...failureOf(steps),
      };
    }),
  );
  return { review, objective: findings.objective, sites };
}

function failureOf(steps: Readonly<Record<string, StepResult>>): Pick<SiteView, "failure"> {
  const [step, result] = Object.entries(steps).find(([, one]) => one.outcome === "failed") ?? [];
  if (!step || !result) return {};
  return { failure: { step, reason: result.reason ?? "Unknown", message: result.message ?? "" } };
}

/** The pictures that belong to these findings: no other artifact is served. */
export function picturesOf(view: ReviewView): Set<string> {
  return new Set(
    view.sites.flatMap(({ capture }) => (capture ? [capture.artifacts.screenshot, capture.artifacts.fullPage] : [])),
  );
}
