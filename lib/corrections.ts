import type { Correction } from "../crd/agentworkload.ts";
import { carryOver, correctionProblem, isOfFinding } from "../engine/corrections.ts";
import type { Finding, Findings, MadeCorrection } from "../engine/findings.ts";
import type { Summary } from "../engine/summary.ts";
import type { ArtifactReader } from "./edges/artifacts.ts";
import { loadSummaryIfValid } from "./summary.ts";

/**
 * Why a decision cannot have its corrections (engine/corrections.ts); undefined: it can. Whoever takes a decision asks, since what it
 * corrects stands in artifacts, which no schema of a decision knows.
 * @throws RetryableError of the store
 */
export async function checkCorrections(
  artifacts: ArtifactReader,
  findings: Findings,
  { corrections }: { readonly corrections?: readonly Correction[] | undefined },
): Promise<string | undefined> {
  if (!corrections) return undefined;
  return correctionProblem(corrections, findings, await summariesOf(artifacts, findings, corrections));
}

/** With what an earlier review said of facts that are still there. @throws RetryableError of the store */
export async function withCarried(
  artifacts: ArtifactReader,
  findings: Findings,
  before: readonly MadeCorrection[],
): Promise<Findings> {
  const { carried, noted } = carryOver(before, findings.results, await summariesOf(artifacts, findings, before));
  return { ...findings, ...(carried.length === 0 ? {} : { carried }), ...(noted.length === 0 ? {} : { noted }) };
}

/** Of the findings that are corrected, and no others. */
async function summariesOf(
  artifacts: ArtifactReader,
  { workload, results }: Findings,
  corrections: readonly Correction[],
): Promise<ReadonlyMap<Finding, Summary>> {
  const summaries = new Map<Finding, Summary>();
  for (const finding of results) {
    if (!corrections.some((one) => isOfFinding(one, finding))) continue;
    const summary = await loadSummaryIfValid(artifacts, workload, finding);
    if (summary) summaries.set(finding, summary);
  }
  return summaries;
}
