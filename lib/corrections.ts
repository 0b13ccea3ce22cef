import type { Correction } from "../crd/agentworkload.ts";
import { correctionProblem, isOfFinding } from "../engine/corrections.ts";
import type { Decision, Finding, Findings } from "../engine/findings.ts";
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
  { workload, results }: Findings,
  { decision, corrections }: Pick<Decision, "decision"> & { readonly corrections?: readonly Correction[] | undefined },
): Promise<string | undefined> {
  if (!corrections) return undefined;
  const summaries = new Map<Finding, Summary>();
  for (const finding of results) {
    if (!corrections.some((one) => isOfFinding(one, finding))) continue;
    const summary = await loadSummaryIfValid(artifacts, workload, finding);
    if (summary) summaries.set(finding, summary);
  }
  return correctionProblem(decision, corrections, results, summaries);
}
