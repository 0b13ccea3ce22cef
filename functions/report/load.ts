import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import { isOfFinding } from "../../engine/corrections.ts";
import {
  type FinalDecision,
  type Finding,
  type Findings,
  finalDecisionSchema,
  findingsSchema,
  type MadeCorrection,
} from "../../engine/findings.ts";
import type { StepContext } from "../../lib/durable/durable.ts";
import { type Artifacts, digestOf, getJson } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { type Capture, captureSchema } from "../../pipelines/market-analysis/capture.ts";
import { correctedPages } from "../../pipelines/market-analysis/corrected.ts";
import { analysisOf, itemOf, type Subject } from "./compare.ts";
import type { Dossier } from "./report.ts";

/**
 * The artifacts of gate `review`, checked against each other: the report is on what was approved.
 * @throws TerminalError NoReview, NotApproved, DigestMismatch
 */
export async function loadFindings(
  artifacts: Artifacts,
  { workload, input }: Pick<StepContext, "workload" | "input">,
): Promise<{ findings: Findings; decision: FinalDecision }> {
  const keys = input.from["review"]?.[0]?.artifacts ?? {};
  const { findings: key, decision: decisionKey } = { findings: keys["findings"], decision: keys["decision"] };
  if (!key || !decisionKey)
    throw new TerminalError(
      "NoReview",
      "gate review left no findings and decision: name review in the step's `after`, and let a gate of that name show analyze",
    );
  const decision = await getJson(artifacts, workload, decisionKey, finalDecisionSchema);
  if (decision.decision !== "approved")
    throw new TerminalError("NotApproved", `${decision.by} rejected the findings: there is nothing to report`);
  if (decision.digest !== digestOf(key))
    throw new TerminalError("DigestMismatch", "the decision is on other findings than these: review them again");
  return { findings: await getJson(artifacts, workload, key, findingsSchema), decision };
}

/** The sites that were captured and analyzed, in the order of the findings. @throws TerminalError NothingToReport */
export async function loadSubjects(
  artifacts: Artifacts,
  workload: ArtifactOwner,
  { results }: Findings,
  corrections: readonly MadeCorrection[],
): Promise<Subject[]> {
  const read: { readonly finding: Finding; readonly capture: Capture; readonly analysis: Analysis }[] = [];
  // One after the other: five hundred at once would wait for one store anyway.
  for (const finding of results) {
    const keys = analysisOf(finding);
    if (!keys) continue;
    const [capture, analysis] = await Promise.all([
      getJson(artifacts, workload, keys.capture, captureSchema),
      getJson(artifacts, workload, keys.analysis, analysisSchema),
    ]);
    read.push({ finding, capture, analysis });
  }
  const ofFinding = (finding: Finding) => corrections.filter((one) => isOfFinding(one, finding));
  const analyses = correctedPages(read.map(({ finding, analysis }) => ({ analysis, corrections: ofFinding(finding) })));
  const subjects = read.map(({ finding, capture, analysis }, at) => ({
    item: itemOf(finding),
    capture,
    analysis: analyses[at] ?? analysis,
  }));
  if (subjects.length === 0)
    throw new TerminalError(
      "NothingToReport",
      `none of ${results.length} sites was analyzed: the findings say why for each of them`,
    );
  return subjects;
}

/** A small picture of each competitor's page, by id. */
export async function loadPictures(
  artifacts: Artifacts,
  workload: ArtifactOwner,
  { competitors }: Dossier,
): Promise<Map<string, string | null>> {
  const pictures = new Map<string, string | null>();
  // One after the other: fifty decoded screenshots at once would take 200 MB.
  for (const { id, analysis } of competitors)
    pictures.set(id, await pictureOf(await artifacts.get(workload, analysis.design.screenshot)));
  return pictures;
}

/** Fifty pictures of this size make about 2 MB of HTML. */
const PICTURE = { width: 720, height: 450, quality: 68 } as const;

/** The top of a screenshot as a small JPEG data URI; null where the bytes are no picture. */
async function pictureOf(screenshot: Uint8Array): Promise<string | null> {
  // Loaded here: it would slow each start.
  const { default: sharp } = await import("sharp");
  const { width, height, quality } = PICTURE;
  try {
    const jpeg = await sharp(screenshot)
      .resize({ width, height, fit: "cover", position: "top", withoutEnlargement: true })
      .flatten({ background: "#ffffff" })
      .jpeg({ quality, mozjpeg: true })
      .toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
  } catch {
    return null;
  }
}
