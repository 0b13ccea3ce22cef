import { type AgentDecision, agentDecisionSchema } from "../../../crd/agentdecision.ts";
import type { Decision } from "../../../engine/findings.ts";
import type { KindClient, KubeObject } from "../../../lib/edges/kube.ts";

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
      return parsed ? [madeOf(parsed, object)] : [];
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
  const { digest, decision, steps, by, comment } = spec;
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
  };
}
