import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { listedItems } from "../../engine/progress.ts";
import { baseRunOf } from "../../engine/run.ts";
import { type Claim, settle } from "../../lib/quota/accounts.ts";
import { microUsd } from "../../lib/quota/micro-usd.ts";
import type { QuotaUse } from "../../lib/quota/quotas.ts";
import { INSTALLATION } from "../../lib/quota/scope.ts";
import type { Wait } from "../../lib/quota/shortage.ts";
import { QUOTA_REASON, waitOf } from "../../lib/quota/wait.ts";
import type { Judgement } from "./admission-review.ts";
import type { JudgeDeps } from "./deps.ts";

const NOTHING: Judgement = { problems: [], warnings: [] };
/** What a warning begins with of one that cannot start yet. */
export const WILL_WAIT = "will wait: ";
const NEVER_STARTS: readonly string[] = [QUOTA_REASON.noBudget, QUOTA_REASON.neverFits];

/** What reconcile would say of it now, for its namespace's quota. What can start once others have ended is a warning. */
export async function judgeQuota(
  workload: AgentWorkload,
  { quotas, now }: Pick<JudgeDeps, "quotas" | "now">,
): Promise<Judgement> {
  const { metadata, spec } = workload;
  if (spec.suspend) return NOTHING;
  const use = await quotas.read(metadata.namespace);
  if (!use) return NOTHING;
  const { uid, open } = knownIn(use, ({ name }) => name === metadata.name);
  const budget = spec.budget ? { budget: microUsd(Number(spec.budget.maxUsd)) } : {};
  const wait = waitIn(use, { ...claimOf(workload, now()), uid, ...created(open), ...budget });
  // One that has started may be waiting for a person, and needs no place now.
  if (!wait || (open && wait.reason === QUOTA_REASON.queued)) return NOTHING;
  if (NEVER_STARTS.includes(wait.reason)) return { problems: [wait.message], warnings: [] };
  return { problems: [], warnings: [`${WILL_WAIT}${wait.message}`] };
}

/** Likewise for the licence, and what is to be said of that. `steps`: of its pipeline, where that is there. */
export async function judgeLicence(
  workload: AgentWorkload,
  steps: AgentPipeline["spec"]["steps"],
  { quotas, now }: Pick<JudgeDeps, "quotas" | "now">,
): Promise<Judgement> {
  const { metadata, spec } = workload;
  const use = await quotas.read(INSTALLATION);
  if (!use || spec.suspend) return NOTHING;
  const { uid, open } = knownIn(
    use,
    ({ name, run }) => name === metadata.name && run?.namespace === metadata.namespace,
  );
  const id = baseRunOf(uid, spec);
  const budget = Math.max(listedItems(steps, spec.inputs), 1);
  const claim = { ...claimOf(workload, now()), uid, ...created(open), budget, run: { id, hasBegun: false } };
  // Other terms of a run that is under way, or waits already.
  const wait = open?.run?.id === id ? undefined : waitIn(use, claim);
  const notice = use.notice && use.notice.reason !== wait?.reason ? [use.notice.message] : [];
  return { problems: [], warnings: [...(wait ? [`${WILL_WAIT}${wait.message}`] : []), ...notice] };
}

type Open = NonNullable<QuotaUse["accounts"]["workloads"][string]["open"]>;

function knownIn({ accounts }: QuotaUse, isIt: (open: Open) => boolean): { uid: string; open?: Open } {
  for (const [uid, { open }] of Object.entries(accounts.workloads)) if (open && isIt(open)) return { uid, open };
  return { uid: "" };
}

const created = (open: Open | undefined): Partial<Claim> => (open ? { created: open.created } : {});

function claimOf({ metadata }: AgentWorkload, now: Date): Claim {
  const { namespace, name } = metadata;
  const at = now.toISOString();
  return { namespace, uid: "", name, created: at, need: "work", spent: 0, month: at.slice(0, 7) };
}

function waitIn({ accounts, quota }: QuotaUse, claim: Claim): Wait | undefined {
  const { shortage } = settle(accounts, quota, claim);
  return shortage && waitOf(shortage, claim);
}
