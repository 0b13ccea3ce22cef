import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { ledgerName } from "../../../engine/identity.ts";
import { usageOf } from "../../../engine/outcomes.ts";
import type { ObjectRef } from "../../../lib/edges/kube.ts";
import type { Spent } from "../../../lib/model/ledger.ts";
import { type Accounts, type Claim, close, granted, settle } from "../../../lib/quota/accounts.ts";
import type { Quota } from "../../../lib/quota/limits.ts";
import { MICRO, microUsd } from "../../../lib/quota/micro-usd.ts";
import type { Quotas } from "../../../lib/quota/quotas.ts";
import { hasEnded } from "../run-engine.ts";
import type { Observed } from "./observe.ts";
import { hasExpired } from "./plan.ts";
import type { QuotaView } from "./quota-view.ts";
import { isAwaitingReview, isHeld } from "./run-state.ts";

export interface QuotaDeps {
  readonly quotas: Quotas;
  /** Of a workload's budget ledger. @throws RetryableError StoreUnavailable */
  readonly readSpent: (ledger: string) => Promise<Spent>;
  /** Whether a step of the workload may still cost something. @throws RetryableError StoreUnavailable */
  readonly isWorkedOn: (uid: string) => Promise<boolean>;
  /** Has another workload looked at soon; lost with the process. */
  readonly wake: (ref: ObjectRef) => void;
  readonly now: () => Date;
}

/** undefined: its namespace has no quota, or what it needs is not known now. */
export async function observeQuota(observed: Observed, deps: QuotaDeps): Promise<QuotaView | undefined> {
  const { namespace } = observed.object.metadata;
  const need = needOf(observed, deps.now());
  if (!need) return undefined;
  const quota = await deps.quotas.quotaOf(namespace);
  if (!quota) return undefined;
  const [accounts, claim] = await Promise.all([deps.quotas.accountsOf(namespace), claimOf(observed, need, deps)]);
  const { accounts: after, wait } = settle(accounts, quota, claim);
  const { open, spent = 0 } = accounts.workloads[claim.uid] ?? {};
  const mayChange = async (): Promise<boolean> => need === "work" || !open || !(await deps.isWorkedOn(claim.uid));
  return {
    ...(after !== accounts && (await mayChange()) ? { claim } : {}),
    ...(wait ? { wait } : {}),
    spentUsd: spent / MICRO,
  };
}

/** Writes what the workload needs into the accounts. */
export async function settleClaim(claim: Claim, deps: ChangeDeps): Promise<void> {
  await change(claim.namespace, (accounts, quota) => settle(accounts, quota, claim).accounts, deps);
}

/** Of a workload that is gone, or whose steps are. `readCost`: what it cost in US dollars; undefined where nobody knows. */
export async function closeAccount(
  { namespace, uid }: { readonly namespace: string; readonly uid: string },
  readCost: () => Promise<number | undefined>,
  deps: ChangeDeps,
): Promise<void> {
  if (!(await deps.quotas.quotaOf(namespace))) return;
  const cost = await readCost();
  const spent = cost === undefined ? undefined : microUsd(cost);
  const month = monthOf(deps.now());
  await change(namespace, (accounts) => close(accounts, { uid, spent, month }), deps);
}

type ChangeDeps = Pick<QuotaDeps, "quotas" | "wake" | "now">;

/** Has those looked at whose turn has come by it. */
async function change(
  namespace: string,
  make: (accounts: Accounts, quota: Quota) => Accounts,
  { quotas, wake, now }: ChangeDeps,
): Promise<void> {
  const quota = await quotas.quotaOf(namespace);
  if (!quota) return;
  const accounts = await quotas.change(namespace, (before) => make(before, quota));
  if ("problem" in quota) return;
  for (const { name } of granted(accounts, quota, monthOf(now()))) wake({ namespace, name });
}

/** What the run's steps cost, or before them what the status says of an earlier run. */
export function knownSpentUsd({ object, progress }: Pick<Observed, "object" | "progress">): number {
  const { usage } = (object.status ?? {}) as WorkloadStatus;
  return Math.max(Number(usage?.costUsd ?? 0), usageOf(progress?.outcomes ?? new Map()).costUsd);
}

/** undefined: as it stands is right, whatever that is: the run is about to end, or the workload is deleted. */
function needOf(observed: Observed, now: Date): Claim["need"] | undefined {
  const { object, spec, runObject, progress } = observed;
  if (object.metadata.deletionTimestamp !== undefined) return undefined;
  if (spec.state !== "accepted" || hasExpired(observed, now)) return "end";
  if (!runObject) return isHeld(observed) ? "end" : "work";
  if (hasEnded(runObject)) return "end";
  if (progress?.walk.end) return undefined;
  return isHeld(observed) || isAwaitingReview(progress) ? "pause" : "work";
}

async function claimOf(observed: Observed, need: Claim["need"], deps: QuotaDeps): Promise<Claim> {
  const { object, spec } = observed;
  const { namespace, name, uid, creationTimestamp } = object.metadata;
  const budget = "workload" in spec ? spec.workload.spec.budget?.maxUsd : undefined;
  const { spentUsd, inFlightUsd } = await deps.readSpent(ledgerName({ namespace, uid }));
  // Who is asked when the run has ended may still answer, and nobody looks then.
  const cost = spentUsd + (need === "end" ? inFlightUsd : 0);
  return {
    namespace,
    uid,
    name,
    created: new Date(creationTimestamp).toISOString(),
    need,
    ...(budget === undefined ? {} : { budget: microUsd(Number(budget)) }),
    spent: microUsd(Math.max(cost, knownSpentUsd(observed))),
    month: monthOf(deps.now()),
  };
}

export function monthOf(now: Date): string {
  return now.toISOString().slice(0, 7);
}
