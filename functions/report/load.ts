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
import { type ArtifactReader, type Artifacts, digestOf, getIfKept, getJson } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import { parseJson } from "../../lib/parse-json.ts";
import { type Analysis, analysisSchema } from "../../pipelines/market-analysis/analysis.ts";
import { type Capture, captureSchema } from "../../pipelines/market-analysis/capture.ts";
import { correctedPages } from "../../pipelines/market-analysis/corrected.ts";
import { addressKey } from "../../pipelines/market-analysis/page-address.ts";
import { keysOf, pageOf } from "./coverage.ts";
import { type EarlierReport, earlierReportSchema } from "./report.ts";
import type { ReadPage, Subject } from "./site.ts";

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

/** The sites of which a page was captured and analyzed, in the order of the findings. @throws TerminalError NothingToReport */
export async function loadSubjects(
  artifacts: Artifacts,
  workload: ArtifactOwner,
  { results }: Findings,
  corrections: readonly MadeCorrection[],
): Promise<Subject[]> {
  const read: { readonly finding: Finding; readonly capture: Capture; readonly analysis: Analysis }[] = [];
  // One after the other: five hundred at once would wait for one store anyway.
  for (const finding of results) {
    const keys = keysOf(finding);
    if (!keys) continue;
    const [capture, analysis] = await Promise.all([
      getJson(artifacts, workload, keys.capture, captureSchema),
      getJson(artifacts, workload, keys.analysis, analysisSchema),
    ]);
    read.push({ finding, capture, analysis });
  }
  const ofFinding = (finding: Finding) => corrections.filter((one) => isOfFinding(one, finding));
  const analyses = correctedPages(read.map(({ finding, analysis }) => ({ analysis, corrections: ofFinding(finding) })));
  const sites = new Map<string, { item: string; pages: ReadPage[] }>();
  for (const [at, { finding, capture, analysis: found }] of read.entries()) {
    const analysis = analyses[at] ?? found;
    const page = pageOf(finding);
    const site = sites.get(analysis.site) ?? { item: page.site, pages: [] };
    sites.set(analysis.site, site);
    // Two addresses may lead to one page.
    if (site.pages.some((other) => isSamePage(other.capture, capture))) continue;
    const kind = page.kind === "home" ? page.kind : (analysis.page?.kind ?? capture.kind ?? page.kind);
    site.pages.push({ url: page.url, kind, capture, analysis });
  }
  const subjects = [...sites.values()].flatMap(({ item, pages }): Subject[] => {
    const [first, ...others] = pages.sort((a, b) => Number(b.kind === "home") - Number(a.kind === "home"));
    return first ? [{ item, pages: [first, ...others] }] : [];
  });
  if (subjects.length === 0)
    throw new TerminalError(
      "NothingToReport",
      `none of ${results.length} pages was analyzed: the findings say why for each of them`,
    );
  return subjects;
}

const isSamePage = (a: Capture, b: Capture): boolean =>
  addressKey(a.finalUrl) === addressKey(b.finalUrl) ||
  (a.canonical !== undefined && b.canonical !== undefined && addressKey(a.canonical) === addressKey(b.canonical));

/**
 * The report of the run that this one is compared with. A sentence where there was such a run, and its report cannot be read; undefined
 * without one.
 * @throws RetryableError ArtifactStoreUnavailable
 */
export async function loadEarlier(
  artifacts: ArtifactReader,
  { previous }: Pick<StepContext["input"], "previous">,
): Promise<EarlierReport | string | undefined> {
  if (!previous) return undefined;
  const { workload, run, result } = previous;
  const none = (why: string) => `There is no comparison with run ${run} of ${workload.name}: ${why}.`;
  const key = result.artifacts["json"];
  if (result.outcome !== "succeeded" || key === undefined) return none("it left no report");
  try {
    const bytes = await getIfKept(artifacts, workload, key);
    if (!bytes) return none("its report is no longer in the store");
    const report = earlierReportSchema.safeParse(parseJson(new TextDecoder().decode(bytes)));
    return report.success ? report.data : none("its report has another form than this version writes");
  } catch (error) {
    if (error instanceof TerminalError) return none(error.message);
    throw error;
  }
}
