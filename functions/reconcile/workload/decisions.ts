import { type AgentDecision, agentDecisionSchema } from "../../../crd/agentdecision.ts";
import type { Decision, Findings } from "../../../engine/findings.ts";
import { checkCorrections } from "../../../lib/corrections.ts";
import type { ArtifactReader } from "../../../lib/edges/artifacts.ts";
import type { KindClient, KubeObject } from "../../../lib/edges/kube.ts";

/** Why a decision does not count that corrects what the findings do not say. */
export const INVALID_CORRECTIONS = "InvalidCorrections";

/** What people decided with kubectl. That the API server let them, and that `by` is who made it, its policy sees to (config/decisions.yaml). */
export type MadeDecision = Omit<Decision, "gate">;

/** The workload that an AgentDecision names; undefined: it is not there, or none. */
export function workloadOfDecision(object: KubeObject | undefined): string | undefined {
  return agentDecisionSchema.safeParse(object).data?.spec.workload;
}

/** Those on one workload, the first first. @throws RetryableError or TerminalError of the API server */
export async function readDecisions(
  decisions: Pick<KindClient, "list">,
  ref: { readonly namespace: string; readonly name: string },
): Promise<MadeDecision[]> {
  return (await listDecisions(decisions, ref))
    .flatMap((object) => {
      const parsed = agentDecisionSchema.safeParse(object).data;
      // What findings of one digest say never changes: it is not looked for again.
      return parsed && parsed.status?.reason !== INVALID_CORRECTIONS ? [madeOf(parsed, object)] : [];
    })
    .toSorted((a, b) => a.at.localeCompare(b.at));
}

export function listDecisions(
  decisions: Pick<KindClient, "list">,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): Promise<KubeObject[]> {
  return decisions.list({ namespace, fieldSelector: `spec.workload=${name}` });
}

/** The API server's own time, and not what the object says. */
export function madeAt({ metadata }: KubeObject): string {
  return new Date(metadata.creationTimestamp).toISOString();
}

function madeOf({ spec }: AgentDecision, object: KubeObject): MadeDecision {
  const { digest, decision, steps, by, comment, corrections } = spec;
  const at = madeAt(object);
  return {
    digest,
    decision,
    ...(steps ? { steps } : {}),
    by,
    how: "AgentDecision",
    automatic: false,
    at,
    ...(comment ? { comment } : {}),
    ...(corrections ? { corrections } : {}),
  };
}

/** Without those on these findings that correct what the findings do not say. @throws RetryableError of the store */
export async function withoutInvalidCorrections(
  decisions: readonly MadeDecision[],
  digest: string,
  findings: Findings,
  artifacts: ArtifactReader,
): Promise<MadeDecision[]> {
  const kept: MadeDecision[] = [];
  for (const one of decisions)
    if (one.digest !== digest || (await checkCorrections(artifacts, findings, one)) === undefined) kept.push(one);
  return kept;
}
