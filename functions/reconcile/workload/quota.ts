import type { WorkloadStatus } from "../../../crd/agentworkload.ts";
import { ledgerName } from "../../../engine/identity.ts";
import { usageOf } from "../../../engine/outcomes.ts";
import { itemProgress, listedItems } from "../../../engine/progress.ts";
import type { Run } from "../../../engine/run.ts";
import type { ObjectRef } from "../../../lib/edges/kube.ts";
import type { Spent } from "../../../lib/model/ledger.ts";
import {
  type Accounts,
  type Claim,
  close,
  closedBy,
  granted,
  openAccount,
  type RunAccount,
  settle,
} from "../../../lib/quota/accounts.ts";
import type { Quota } from "../../../lib/quota/limits.ts";
import { MICRO, microUsd } from "../../../lib/quota/micro-usd.ts";
import type { Quotas, QuotaUse } from "../../../lib/quota/quotas.ts";
import { INSTALLATION, type Scope } from "../../../lib/quota/scope.ts";
import type { Wait } from "../../../lib/quota/shortage.ts";
import { waitOf } from "../../../lib/quota/wait.ts";
import type { UsageRecord } from "../../../lib/usage/record.ts";
import { hasEnded, type RunEngine } from "../run-engine.ts";
import type { Observed } from "./observe.ts";
import { hasExpired } from "./plan.ts";
import type { QuotaView } from "./quota-view.ts";
import { isAwaitingReview, isHeld, isMadeAgain } from "./run-state.ts";
import { recordRun, type UsageDeps, type Used, usedBy } from "./usage.ts";

export interface QuotaDeps {
  readonly quotas: Quotas;
  readonly engine: Pick<RunEngine, "nameOf">;
  /** Of a workload's budget ledger. @throws RetryableError StoreUnavailable */
  readonly readSpent: (ledger: string) => Promise<Spent>;
  /** Whether a step of the workload may still cost something. @throws RetryableError StoreUnavailable */
  readonly isWorkedOn: (uid: string) => Promise<boolean>;
  /** Has another workload looked at soon; lost with the process. */
  readonly wake: (ref: ObjectRef) => void;
  readonly now: () => Date;
}

type Need = Claim["need"];

/** undefined: the workload is being deleted. */
export async function observeQuota(observed: Observed, deps: QuotaDeps): Promise<QuotaView | undefined> {
  const { namespace, uid, deletionTimestamp } = observed.object.metadata;
  if (deletionTimestamp !== undefined) return undefined;
  const [own, whole] = await Promise.all([deps.quotas.read(namespace), deps.quotas.read(INSTALLATION)]);
  const need = needOf(observed, deps.now());
  const asked: Asked[] = [
    ...(own && need ? [{ use: own, claim: await claimOfNamespace(observed, need, deps) }] : []),
    ...(whole && need ? [{ use: whole, claim: claimOfInstallation(observed, need, deps) }] : []),
  ];
  const lacking = asked.flatMap((one) => waitIn(one)).at(0);
  // Places are taken together: one that is held in vain would be missed by those that need no other.
  const needed = asked.map((one) => (!lacking || one.claim === lacking.claim ? one : withoutPlace(one)));
  const claims = await Promise.all(needed.map(async (one) => ((await isChange(one, deps)) ? [withClosing(one)] : [])));
  return {
    claims: claims.flat(),
    ...(lacking ? { wait: lacking.wait } : {}),
    ...(whole?.notice ? { notice: whole.notice } : {}),
    spentUsd: (own?.accounts.workloads[uid]?.spent ?? 0) / MICRO,
  };
}

/** What a quota is asked for. */
interface Asked {
  readonly use: QuotaUse;
  readonly claim: Claim;
}

function waitIn({ use, claim }: Asked): { readonly claim: Claim; readonly wait: Wait }[] {
  const { shortage } = settle(use.accounts, use.quota, claim);
  return shortage ? [{ claim, wait: waitOf(shortage, claim) }] : [];
}

function withoutPlace({ use, claim }: Asked): Asked {
  return { use, claim: { ...claim, need: claim.need === "work" ? "pause" : claim.need } };
}

/** What it closes has to be recorded before. */
function withClosing({ use, claim }: Asked): Claim {
  const closes = closedBy(use.accounts, claim);
  return closes ? { ...claim, closes } : claim;
}

async function isChange({ use, claim }: Asked, deps: QuotaDeps): Promise<boolean> {
  if (settle(use.accounts, use.quota, claim).accounts === use.accounts) return false;
  const { open } = use.accounts.workloads[claim.uid] ?? {};
  return claim.need === "work" || !open || !(await deps.isWorkedOn(claim.uid));
}

/** Writes what the workload needs into the accounts, after the record of a run that it closes. */
export async function settleClaim(claim: Claim, observed: Observed, deps: ChangeDeps & UsageDeps): Promise<void> {
  const scope = claim.run ? INSTALLATION : claim.namespace;
  const { closes } = claim;
  const ended = claim.need === "end" ? "ended" : "superseded";
  const recorded = closes && (await recordRun(closes, usedBy(observed), ended, deps));
  const settled = recorded ? { ...claim, month: recorded.month, isRecorded: true } : claim;
  // Another process may have closed it, and opened the next: that has no record yet.
  const isSame = (accounts: Accounts): boolean => closedBy(accounts, settled)?.opened === closes?.opened;
  await change(
    scope,
    (accounts, quota) => (isSame(accounts) ? settle(accounts, quota, settled).accounts : accounts),
    deps,
  );
}

/** Of a workload that is gone, or whose steps are. `readSpent`: what it used; undefined where nobody knows. `record`: of its run. */
export async function closeAccount(
  { scope, uid }: { readonly scope: Scope; readonly uid: string },
  readSpent: () => Promise<number | undefined>,
  deps: ChangeDeps,
  record?: Pick<UsageRecord, "month">,
): Promise<void> {
  const use = await deps.quotas.read(scope);
  if (!use?.accounts.workloads[uid]) return;
  const spent = await readSpent();
  const month = record?.month ?? monthOf(deps.now());
  await change(scope, (accounts) => close(accounts, { uid, spent, month, isRecorded: record !== undefined }), deps);
}

/** Of a workload that somebody took away without letting reconcile clean up: all that was set aside counts. */
export async function closeGone(
  { scope, uid }: { readonly scope: Scope; readonly uid: string },
  deps: ChangeDeps & UsageDeps,
): Promise<void> {
  const account = scope === INSTALLATION ? await accountLeft(uid, deps) : undefined;
  const record = account && (await recordRun(account, goneWith(uid, account), "gone", deps));
  await closeAccount({ scope, uid }, async () => undefined, deps, record);
}

function goneWith(uid: string, { namespace, name }: RunAccount): Used {
  return { workload: { namespace, name, uid }, pipeline: "", runs: undefined };
}

/** The account of a run that a workload leaves behind, in the installation's. */
export async function accountLeft(uid: string, { quotas }: Pick<QuotaDeps, "quotas">): Promise<RunAccount | undefined> {
  const use = await quotas.read(INSTALLATION);
  return use && openAccount(use.accounts, uid);
}

type ChangeDeps = Pick<QuotaDeps, "quotas" | "wake" | "now">;

/** Has those looked at whose turn has come by it. */
async function change(
  scope: Scope,
  make: (accounts: Accounts, quota: Quota) => Accounts,
  { quotas, wake, now }: ChangeDeps,
): Promise<void> {
  const { quota } = (await quotas.read(scope)) ?? {};
  if (!quota) return;
  const accounts = await quotas.change(scope, (before) => make(before, quota));
  if ("problem" in quota) return;
  for (const { name, namespace = scope } of granted(accounts, quota, monthOf(now()))) wake({ namespace, name });
}

/** What the run's steps cost, or before them what the status says of an earlier run. */
export function knownSpentUsd({ object, progress }: Pick<Observed, "object" | "progress">): number {
  const { usage } = (object.status ?? {}) as WorkloadStatus;
  return Math.max(Number(usage?.costUsd ?? 0), usageOf(progress?.outcomes ?? new Map()).costUsd);
}

/** undefined: as it stands is right, whatever that is: the run is about to end, or is made again. */
function needOf(observed: Observed, now: Date): Need | undefined {
  const { spec, runObject, progress } = observed;
  if (spec.state !== "accepted" || hasExpired(observed, now)) return "end";
  if (!runObject) return isHeld(observed) ? "end" : "work";
  if (hasEnded(runObject)) return isMadeAgain(observed) ? undefined : "end";
  if (progress?.walk.end) return undefined;
  return isHeld(observed) || isAwaitingReview(progress) ? "pause" : "work";
}

async function claimOfNamespace(observed: Observed, need: Need, deps: QuotaDeps): Promise<Claim> {
  const { spec, object } = observed;
  const { namespace, uid } = object.metadata;
  const budget = "workload" in spec ? spec.workload.spec.budget?.maxUsd : undefined;
  const { spentUsd, inFlightUsd } = await deps.readSpent(ledgerName({ namespace, uid }));
  // Who is asked when the run has ended may still answer, and nobody looks then.
  const cost = spentUsd + (need === "end" ? inFlightUsd : 0);
  return {
    ...claimOf(observed, need, deps),
    ...(budget === undefined ? {} : { budget: microUsd(Number(budget)) }),
    spent: microUsd(Math.max(cost, knownSpentUsd(observed))),
  };
}

/** A run counts the items of its lists, also those that its steps return; one without lists is one item. */
function claimOfInstallation(observed: Observed, need: Need, deps: QuotaDeps): Claim {
  const { spec, runObject } = observed;
  const claim = claimOf(observed, need, deps);
  const asksAt = deps.now().toISOString();
  if (spec.state !== "accepted") return { ...claim, spent: 0, run: { hasBegun: false, asksAt } };
  const { run } = spec;
  const budget = Math.max(listedItems(run.pipeline.steps, run.inputs), 1);
  const isKnown = runObject !== undefined || hasEndedBefore(observed, run, deps);
  return {
    ...claim,
    budget,
    spent: isKnown ? Math.max(budget, foundItems(observed, run)) : 0,
    run: { id: run.base, hasBegun: runObject !== undefined, asksAt },
  };
}

/** One that is tried again counts its items once. */
function hasEndedBefore({ object }: Observed, run: Run, { engine }: QuotaDeps): boolean {
  const { workflow, finishedAt } = (object.status ?? {}) as WorkloadStatus;
  return finishedAt !== undefined && workflow === engine.nameOf(run);
}

function foundItems({ object, progress }: Observed, run: Run): number {
  const { items } = (object.status ?? {}) as WorkloadStatus;
  return progress ? itemProgress(run, progress.walk, progress.outcomes).total : (items?.total ?? 0);
}

function claimOf({ object }: Observed, need: Need, { now }: QuotaDeps): Omit<Claim, "spent"> {
  const { namespace, name, uid, creationTimestamp } = object.metadata;
  return { namespace, uid, name, created: new Date(creationTimestamp).toISOString(), need, month: monthOf(now()) };
}

export function monthOf(now: Date): string {
  return now.toISOString().slice(0, 7);
}
