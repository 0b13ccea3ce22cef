import { LRUCache } from "lru-cache";
import pLimit from "p-limit";
import { type Finding, type Findings, findingsSchema } from "../../engine/findings.ts";
import { type ArtifactReader, digestOf, getJson } from "../../lib/edges/artifacts.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { TerminalError } from "../../lib/errors.ts";
import { loadSummary } from "../../lib/summary.ts";
import { type SummaryView, summaryView } from "./summary-view.ts";

/** One finding as the reviewer sees it. */
export interface FindingView {
  readonly finding: Finding;
  readonly summary?: SummaryView;
  /** Why the summary cannot be shown, as a sentence. */
  readonly problem?: string;
}

export interface ReviewView {
  readonly record: ReviewRecord;
  readonly findings: Findings;
  /** One for each of the findings' results. */
  readonly items: readonly FindingView[];
}

export interface ReviewLoader {
  /**
   * Reads what the page shows through the findings, so that the digest covers all of it.
   * @throws TerminalError FindingsMismatch, and what artifacts throw
   */
  load(record: ReviewRecord): Promise<ReviewView>;
  /** The artifact keys of the pictures that the page shows. No other artifact is served as a picture. */
  pictures(record: ReviewRecord): Promise<ReadonlySet<string>>;
}

/** Characters of all summaries on one page. Each finding has an equal share. */
const PAGE_CHARACTERS = 4_000_000;
const READS_AT_ONCE = 8;
const MAX_PROBLEM = 400;
/** Reviews whose pictures are remembered: a browser asks for each picture of a page by itself. */
const REMEMBERED = 16;

export function createReviewLoader(artifacts: ArtifactReader): ReviewLoader {
  // By the findings' key. It is a content address, so an entry never becomes outdated.
  const pictures = new LRUCache<string, ReadonlySet<string>>({ max: REMEMBERED });
  const load = async (record: ReviewRecord): Promise<ReviewView> => {
    const findings = await loadFindings(artifacts, record);
    const limit = Math.floor(PAGE_CHARACTERS / Math.max(1, findings.results.length));
    const reads = pLimit(READS_AT_ONCE);
    const items = await reads.map(findings.results, (finding) => loadFinding(artifacts, record, finding, limit));
    const shown = items.flatMap(({ summary }) => summary?.pictures ?? []);
    pictures.set(record.findings, new Set(shown.flatMap(({ image, full }) => (full ? [image, full] : [image]))));
    return { record, findings, items };
  };
  return {
    load,
    async pictures(record) {
      if (!pictures.has(record.findings)) await load(record);
      return pictures.get(record.findings) ?? new Set();
    },
  };
}

/** @throws TerminalError FindingsMismatch, and what artifacts throw */
export async function loadFindings(
  artifacts: ArtifactReader,
  { findings: key, review, workload }: ReviewRecord,
): Promise<Findings> {
  const findings = await getJson(artifacts, workload, key, findingsSchema);
  const same =
    digestOf(key) === review.digest && findings.gate === review.gate && findings.workload.uid === workload.uid;
  if (!same)
    throw new TerminalError(
      "FindingsMismatch",
      `the artifact ${key} is not what the gate ${review.gate} was opened for`,
    );
  return findings;
}

/** A summary comes from somebody's agent: what is wrong with it is shown in its place. */
async function loadFinding(
  artifacts: ArtifactReader,
  { workload }: ReviewRecord,
  finding: Finding,
  limit: number,
): Promise<FindingView> {
  try {
    const summary = await loadSummary(artifacts, workload, finding);
    return summary ? { finding, summary: summaryView(summary, limit) } : { finding };
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    const problem = `The summary of step ${finding.step} cannot be shown: ${error.message}`;
    return { finding, problem: problem.length > MAX_PROBLEM ? `${problem.slice(0, MAX_PROBLEM)}…` : problem };
  }
}
