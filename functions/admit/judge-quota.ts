import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { QUOTA_REASON, settle } from "../../lib/quota/accounts.ts";
import { microUsd } from "../../lib/quota/micro-usd.ts";
import type { Judgement } from "./admission-review.ts";
import type { JudgeDeps } from "./deps.ts";

const NOTHING: Judgement = { problems: [], warnings: [] };
const NEVER_STARTS: readonly string[] = [QUOTA_REASON.noBudget, QUOTA_REASON.neverFits];

/** What reconcile would say of it now, for the namespace's quota. What can start once others have ended is a warning. */
export async function judgeQuota(
  { metadata, spec }: AgentWorkload,
  { quotas, now }: Pick<JudgeDeps, "quotas" | "now">,
): Promise<Judgement> {
  if (spec.suspend) return NOTHING;
  const { namespace, name } = metadata;
  const quota = await quotas.quotaOf(namespace);
  if (!quota) return NOTHING;
  const accounts = await quotas.accountsOf(namespace);
  const [uid = "", known] = Object.entries(accounts.workloads).find(([, { open }]) => open?.name === name) ?? [];
  const at = now().toISOString();
  const { wait } = settle(accounts, quota, {
    namespace,
    uid,
    name,
    created: known?.open?.created ?? at,
    need: "work",
    ...(spec.budget ? { budget: microUsd(Number(spec.budget.maxUsd)) } : {}),
    spent: 0,
    month: at.slice(0, 7),
  });
  // One that has started may be waiting for a person, and needs no place now.
  if (!wait || (known && wait.reason === QUOTA_REASON.queued)) return NOTHING;
  if (NEVER_STARTS.includes(wait.reason)) return { problems: [wait.message], warnings: [] };
  return { problems: [], warnings: [`will wait: ${wait.message}`] };
}
