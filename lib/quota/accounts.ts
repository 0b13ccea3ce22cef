import { z } from "zod";
import { canonicalJson } from "../../engine/canonical.ts";
import { TerminalError } from "../errors.ts";
import { schemaProblems } from "../schema-problems.ts";
import type { Limits, Quota } from "./limits.ts";
import { type MicroUsd, usdText } from "./micro-usd.ts";

// What a namespace uses of its quota. Pure.

const micro = z.int().min(0);
const openSchema = z.strictObject({
  name: z.string(),
  /** When the workload was made: who was first is first. */
  created: z.iso.datetime(),
  /** It holds one of the places that maxRunning counts. */
  place: z.boolean(),
  /** What it may cost in all, as far as that is set aside for it. */
  reserved: micro,
  /** It waits for its turn, with this budget. */
  wants: micro.optional(),
});
const accountSchema = z.strictObject({
  /** The most that the workload is known to have cost, and that is in a month's sum. */
  spent: micro,
  /** While it has a run, or wants one. */
  open: openSchema.optional(),
});
const accountsSchema = z.strictObject({
  /** UTC, as 2026-11. */
  month: z.string().regex(/^\d{4}-\d{2}$/),
  /** What workloads, deleted ones included, cost in that month. */
  spent: micro,
  /** By uid, as long as the workload is there. */
  workloads: z.record(z.string(), accountSchema),
});

type Open = z.infer<typeof openSchema>;
type Account = z.infer<typeof accountSchema>;
export type Accounts = z.infer<typeof accountsSchema>;

export const NO_ACCOUNTS: Accounts = { month: "0000-00", spent: 0, workloads: {} };

/** A ConfigMap takes 1 MiB. */
const MAX_BYTES = 900_000;
const MOST_SPENT = Number.MAX_SAFE_INTEGER;

/** @throws TerminalError QuotaAccountsInvalid */
export function parseAccounts(text: string, where: string): Accounts {
  try {
    return accountsSchema.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof z.ZodError ? schemaProblems(error) : String(error);
    throw new TerminalError(
      "QuotaAccountsInvalid",
      `ConfigMap ${where} is not as reconcile wrote it: ${why}. Restore it, or delete it: the month's sum then starts from zero`,
    );
  }
}

/** What a workload asks of its namespace's quota. */
export interface Claim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
  readonly created: string;
  /** work: steps are to be done. pause: it waits for a person. end: it has no run, or one that has ended. */
  readonly need: "work" | "pause" | "end";
  /** spec.budget.maxUsd */
  readonly budget?: MicroUsd;
  /** What it is known to have cost. */
  readonly spent: MicroUsd;
  /** UTC, as 2026-11. */
  readonly month: string;
}

export interface Settled {
  /** As they are to be; the same object where nothing changes. */
  readonly accounts: Accounts;
  /** Why it must not work yet. */
  readonly wait?: Wait;
}

export interface Wait {
  readonly reason: string;
  readonly message: string;
}

export const QUOTA_REASON = {
  /** All places are taken. */
  queued: "Queued",
  /** Its budget does not fit into what is left of the month. */
  exceeded: "QuotaExceeded",
  /** Its budget fits into no month. */
  neverFits: "BudgetOverQuota",
  noBudget: "BudgetRequired",
  invalid: "QuotaInvalid",
  full: "QuotaAccountsFull",
} as const;

/** Gives the workload what it needs, or says why not; takes what it needs no more. */
export function settle(before: Accounts, quota: Quota, claim: Claim): Settled {
  const { uid, need } = claim;
  const known = before.workloads[uid];
  if (need === "work") return settleWork(before, quota, claim);
  if (!known) return { accounts: before };
  if (need === "end") {
    if (!known.open && claim.spent <= known.spent) return { accounts: before };
    const { spent } = known;
    return { accounts: booked(withAccount(before, uid, { spent }), claim) };
  }
  if (!known.open || (!known.open.place && known.open.wants === undefined)) return { accounts: before };
  const { wants: _wants, ...open } = known.open;
  return { accounts: booked(withAccount(before, uid, { ...known, open: { ...open, place: false } }), claim) };
}

function settleWork(before: Accounts, quota: Quota, claim: Claim): Settled {
  const { uid, name, created, budget = 0 } = claim;
  const known = before.workloads[uid];
  const { place = false, reserved = 0 } = known?.open ?? {};
  if (!("problem" in quota) && quota.maxUsdPerMonth !== undefined && claim.budget === undefined)
    return { accounts: before, wait: noBudget(claim, quota) };
  // What is set aside is never lowered while it works: steps that are under way may spend the budget they were given.
  const wants = Math.max(budget, reserved);
  if (place && wants === reserved) return { accounts: before };
  if ("problem" in quota) return { accounts: before, wait: invalid(quota.problem) };
  // What it cost before it was known here belongs to no month of these.
  const account: Account = { spent: known?.spent ?? claim.spent, open: { name, created, place, reserved, wants } };
  const asking = withAccount(before, uid, account);
  const isGranted = granted(asking, quota, claim.month).some((one) => one.uid === uid);
  const wait = isGranted ? {} : { wait: whyNot(asking, quota, claim, wants) };
  // One that works keeps its place while a larger budget does not fit.
  if (!isGranted && place) return { accounts: before, ...wait };
  const open: Open = isGranted
    ? { name, created, place: true, reserved: wants }
    : { name, created, place, reserved, wants };
  if (known?.open && canonicalJson(known.open) === canonicalJson(open)) return { accounts: before, ...wait };
  const after = booked(withAccount(before, uid, { ...account, open }), claim);
  const bytes = bytesOf(after);
  if (bytes > MAX_BYTES && bytes > bytesOf(before)) return { accounts: before, wait: full(claim, before) };
  return { accounts: after, ...wait };
}

/**
 * The workload is gone: its account is closed, what it cost stays in the month's sum. `spent`: undefined where nobody knows; then all that was
 * set aside for it counts.
 */
export function close(before: Accounts, { uid, spent, month }: Closing): Accounts {
  const known = before.workloads[uid];
  if (!known) return before;
  const after = booked(before, { uid, spent: spent ?? known.open?.reserved ?? 0, month });
  const { [uid]: _closed, ...workloads } = after.workloads;
  return { ...after, workloads };
}

export interface Closing {
  readonly uid: string;
  readonly spent: MicroUsd | undefined;
  readonly month: string;
}

/** Workloads whose turn it is, the first first. One whose budget does not fit keeps no smaller one waiting. */
export function granted(accounts: Accounts, quota: Limits, month: string): { uid: string; name: string }[] {
  let places = Math.max((quota.maxRunning ?? Number.POSITIVE_INFINITY) - placesTaken(accounts), 0);
  let usd = Math.max((quota.maxUsdPerMonth ?? Number.POSITIVE_INFINITY) - committed(accounts, month), 0);
  return queueOf(accounts).flatMap(({ uid, open, spent, wants }) => {
    const place = open.place ? 0 : 1;
    const more = left(wants, spent) - left(open.reserved, spent);
    if (place > places || more > usd) return [];
    places -= place;
    usd -= more;
    return [{ uid, name: open.name }];
  });
}

function queueOf({ workloads }: Accounts) {
  return Object.entries(workloads)
    .flatMap(([uid, { open, spent }]) => (open?.wants === undefined ? [] : [{ uid, open, spent, wants: open.wants }]))
    .toSorted((a, b) => a.open.created.localeCompare(b.open.created) || a.uid.localeCompare(b.uid));
}

function placesTaken({ workloads }: Accounts): number {
  return Object.values(workloads).filter(({ open }) => open?.place).length;
}

/** What is spent, and what may be by all for which something is set aside. */
function committed(accounts: Accounts, month: string): MicroUsd {
  return inMonth(accounts, month).spent + setAside(accounts);
}

function setAside({ workloads }: Accounts): MicroUsd {
  return Object.values(workloads).reduce((sum, { open, spent }) => sum + left(open?.reserved ?? 0, spent), 0);
}

function left(budget: MicroUsd, spent: MicroUsd): MicroUsd {
  return Math.max(budget - spent, 0);
}

/** For whoever reads the ConfigMap. */
export function summaryOf(accounts: Accounts): string {
  const running = placesTaken(accounts);
  const sums = `$${usdText(accounts.spent)} spent, $${usdText(setAside(accounts))} set aside`;
  return `${accounts.month}: ${sums}; ${running} at work, ${queueOf(accounts).length} in the queue`;
}

/** In a new month nothing is spent yet. A clock that is behind opens no month again. */
function inMonth(accounts: Accounts, month: string): Accounts {
  return month > accounts.month ? { ...accounts, month, spent: 0 } : accounts;
}

/** What a workload cost since it was last booked is the month's. Booked twice it counts once. */
function booked(before: Accounts, { uid, spent, month }: Pick<Claim, "uid" | "spent" | "month">): Accounts {
  const accounts = inMonth(before, month);
  const known = accounts.workloads[uid];
  if (!known || spent <= known.spent) return accounts;
  const sum = Math.min(accounts.spent + spent - known.spent, MOST_SPENT);
  return withAccount({ ...accounts, spent: sum }, uid, { ...known, spent });
}

function withAccount(accounts: Accounts, uid: string, account: Account): Accounts {
  return { ...accounts, workloads: { ...accounts.workloads, [uid]: account } };
}

function bytesOf(accounts: Accounts): number {
  return Buffer.byteLength(JSON.stringify(accounts));
}

function whyNot(accounts: Accounts, quota: Limits, { namespace, uid, month }: Claim, wants: MicroUsd): Wait {
  const { maxRunning = Number.POSITIVE_INFINITY, maxUsdPerMonth } = quota;
  if (maxUsdPerMonth !== undefined && wants > maxUsdPerMonth)
    return {
      reason: QUOTA_REASON.neverFits,
      message: `spec.budget.maxUsd of $${usdText(wants)} is more than the $${usdText(maxUsdPerMonth)} a month of namespace ${namespace}: lower it, or ask your administrator for more`,
    };
  const { spent: known = 0, open } = accounts.workloads[uid] ?? {};
  const running = placesTaken(accounts);
  if (running >= maxRunning && !open?.place)
    return {
      reason: QUOTA_REASON.queued,
      message: `Namespace ${namespace} runs ${running} of ${maxRunning} workloads; this one goes on when one ends, in the order of their creation`,
    };
  const { spent } = inMonth(accounts, month);
  const more = left(wants, known) - left(open?.reserved ?? 0, known);
  if (maxUsdPerMonth === undefined || committed(accounts, month) + more <= maxUsdPerMonth)
    return { reason: QUOTA_REASON.queued, message: `Other workloads of namespace ${namespace} come before this one` };
  return {
    reason: QUOTA_REASON.exceeded,
    message: `Namespace ${namespace} has $${usdText(maxUsdPerMonth)} for ${month}: $${usdText(spent)} is spent, $${usdText(setAside(accounts))} is set aside for workloads that have started, and this one's budget is $${usdText(wants)}. It goes on when it fits: when others end below their budget, with a smaller one, or next month`,
  };
}

function noBudget({ namespace }: Claim, { maxUsdPerMonth = 0 }: Limits): Wait {
  return {
    reason: QUOTA_REASON.noBudget,
    message: `Namespace ${namespace} has $${usdText(maxUsdPerMonth)} a month: set spec.budget.maxUsd, which is set aside for the workload while it runs`,
  };
}

function invalid(problem: string): Wait {
  return {
    reason: QUOTA_REASON.invalid,
    message: `${problem}. Nothing starts in this namespace until your administrator has corrected it`,
  };
}

function full({ namespace }: Claim, { workloads }: Accounts): Wait {
  return {
    reason: QUOTA_REASON.full,
    message: `The accounts of namespace ${namespace} have no room for more than ${Object.keys(workloads).length} workloads: delete some that have ended`,
  };
}
