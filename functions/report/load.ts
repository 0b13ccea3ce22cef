import { type Artifacts, digestOf, getJson } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { StepInput } from "../../lib/step.ts";
import { analysisSchema } from "../../pipeline/analysis.ts";
import { captureSchema } from "../../pipeline/capture.ts";
import { type Decision, decisionSchema, type Findings, findingsSchema } from "../../pipeline/findings.ts";
import { type Subject, succeeded } from "./compare.ts";
import { pictureOf } from "./picture.ts";
import type { Dossier } from "./report.ts";

/**
 * The gate's artifacts, held against each other: what is reported is what was approved.
 * @throws TerminalError NoReview, NotApproved, DigestMismatch
 */
export async function loadFindings(
  artifacts: Artifacts,
  input: StepInput,
): Promise<{ findings: Findings; decision: Decision }> {
  const keys = input.from["review"]?.[0]?.artifacts ?? {};
  const { findings: key, decision: decisionKey } = { findings: keys["findings"], decision: keys["decision"] };
  if (!key || !decisionKey)
    throw new TerminalError("NoReview", "the review left no findings and decision: the report needs both");
  const decision = await getJson(artifacts, decisionKey, decisionSchema);
  if (decision.decision !== "approved")
    throw new TerminalError("NotApproved", `${decision.by} rejected the findings: there is nothing to report`);
  if (decision.digest !== digestOf(key))
    throw new TerminalError("DigestMismatch", "the decision is on other findings than these: review them again");
  return { findings: await getJson(artifacts, key, findingsSchema), decision };
}

/** @throws TerminalError NothingToReport: no site was both captured and analyzed */
export async function loadSubjects(artifacts: Artifacts, findings: Findings): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const { item, steps } of findings.items) {
    const keys = succeeded(steps);
    if (!keys) continue;
    subjects.push({
      item,
      capture: await getJson(artifacts, keys.capture, captureSchema),
      analysis: await getJson(artifacts, keys.analysis, analysisSchema),
    });
  }
  if (subjects.length === 0)
    throw new TerminalError(
      "NothingToReport",
      `none of ${findings.items.length} sites was analyzed: see each site's reason in the findings`,
    );
  return subjects;
}

/** A small picture of each competitor's page, by id. */
export async function loadPictures(
  artifacts: Artifacts,
  { competitors }: Dossier,
): Promise<Map<string, string | null>> {
  const pictures = new Map<string, string | null>();
  // One after the other: fifty decoded screenshots at once would be 200 MB.
  for (const { id, analysis } of competitors)
    pictures.set(id, await pictureOf(await artifacts.get(analysis.design.screenshot)));
  return pictures;
}
