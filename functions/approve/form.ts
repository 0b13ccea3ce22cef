import { z } from "zod";
import type { Correction } from "../../crd/agentworkload.ts";
import { isOfFinding } from "../../engine/corrections.ts";
import type { Html } from "../../lib/page/document.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";
import { loadSummaryIfValid } from "../../lib/summary.ts";
import type { Admitted, Refusal } from "./admit.ts";
import { decide, decisionRequestSchema, isOpen } from "./decide.ts";
import type { ApproveDeps } from "./deps.ts";
import { readDraft, type Typed, typedIn, typedOf, withTyped } from "./draft.ts";
import { loadFindings, type ReviewLoader } from "./load.ts";
import { factsPage } from "./page/facts-page.ts";
import { type ReviewPageOptions, reviewPage } from "./page/review-page.ts";

/** Fields of the review page's form and of that of a finding's facts. Each button sends one of the last four. */
const formSchema = z.looseObject({
  comment: z.string().optional(),
  draft: z.string().optional(),
  decision: z.string().optional(),
  /** Opens the facts of a finding, by its place in the findings. */
  edit: z.string().optional(),
  /** Takes over what was typed of them. */
  edited: z.string().optional(),
  /** Drops all corrections. */
  clear: z.string().optional(),
});

export type FormAnswer =
  /** Decided: the page says so when it is asked for again. */
  { readonly status: 303 } | { readonly status: 200 | Refusal["status"]; readonly page: Html };

/** Answers a form: with the page that comes next, which has all that was typed. Only the buttons of decisions decide. */
export async function answerForm(
  body: unknown,
  seen: Admitted,
  deps: ApproveDeps,
  loader: ReviewLoader,
  urls: Pick<ReviewPageOptions, "pictureUrl" | "outputUrl" | "formUrl">,
): Promise<FormAnswer> {
  const form = formSchema.safeParse(body).data ?? {};
  const { comment, edit, edited, clear } = form;
  const draft = readDraft(form.draft);
  const review = async (
    status: 200 | Refusal["status"],
    more: { readonly draft?: readonly Correction[]; readonly problem?: string },
  ): Promise<FormAnswer> => {
    // Somebody else may have decided meanwhile.
    const record = (await deps.reviews.read(seen.record.workload, seen.who.gate)) ?? seen.record;
    const typed = { ...(comment === undefined ? {} : { comment }), draft: draft ?? [] };
    const page = reviewPage(await loader.load(record), { ...urls, now: deps.now(), ...typed, ...more });
    return { status, page };
  };
  if (!draft) return review(400, { problem: "the corrections did not arrive as this page sent them: make them again" });
  if (edit === undefined && edited === undefined && clear === undefined) {
    const { comment: said, digest, decision } = form;
    const corrections = draft.length > 0 ? { corrections: draft } : {};
    const parsed = decisionRequestSchema.safeParse({ comment: said, digest, decision, ...corrections });
    const verdict = parsed.success
      ? await decide(deps, seen, parsed.data)
      : { status: 400 as const, message: schemaProblems(parsed.error) };
    return verdict.status === 200 ? { status: 303 } : review(verdict.status, { problem: verdict.message });
  }
  if (!isOpen(seen.record, deps.now()))
    return review(409, { problem: "corrections go with a decision, and this review takes none any more" });
  if (clear !== undefined) return review(200, { draft: [] });
  const place = edited ?? edit ?? "";
  const { results, carried = [], noted = [] } = await loadFindings(deps.artifacts, seen.record);
  const finding = /^\d{1,4}$/.test(place) ? results[Number(place)] : undefined;
  const summary = finding && (await loadSummaryIfValid(deps.artifacts, seen.record.workload, finding));
  if (!finding || !summary) return review(400, { problem: "there are no such facts to correct" });
  const facts = (status: 200 | 422, typed: Typed, problem?: string): FormAnswer => ({
    status,
    page: factsPage({
      record: seen.record,
      index: Number(place),
      summary,
      typed,
      carried: carried.filter((one) => isOfFinding(one, finding)),
      noted: noted.filter((one) => isOfFinding(one, finding)),
      draft,
      formUrl: urls.formUrl,
      ...(comment === undefined ? {} : { comment }),
      ...(problem === undefined ? {} : { problem }),
    }),
  });
  if (edited === undefined) return facts(200, typedOf(draft, finding, carried));
  const typed = typedIn(form, summary);
  const next = withTyped(draft, finding, summary, carried, typed);
  return "problem" in next ? facts(422, typed, next.problem) : review(200, next);
}
