import { z } from "zod";
import { canonicalJson } from "../../engine/canonical.ts";
import { TerminalError } from "../errors.ts";
import { schemaProblems } from "../schema-problems.ts";
import type { Limits, Quota } from "./limits.ts";
import type { Shortage } from "./shortage.ts";

// What of a quota is used: of a namespace's by its workloads, in dollars; of the installation's, which is its licence, by their runs, in
// items. Pure.

const amount = z.int().min(0);
const openSchema = z.strictObject({
  name: z.string(),
  /** When the workload was made: who was first is first. */
  created: z.iso.datetime(),
  /** It holds one of the places that maxRunning counts. */
  place: z.boolean(),
  /** What it may use of months in all, as far as that is set aside for it. */
  reserved: amount,
  /** It waits for its turn, with this budget. */
  wants: amount.optional(),
  /** In the installation's accounts: of which run, in which namespace. */
  run: z
    .strictObject({
      namespace: z.string(),
      id: z.string(),
      /** When it asked first: what tells this account from others of the workload. */
      opened: z.iso.datetime().optional(),
      /** What it was known to have used then: the run is tried again. */
      before: amount.optional(),
    })
    .optional(),
});
const accountSchema = z.strictObject({
  /** The most that it is known to have used, and that is in a month's sum. */
  spent: amount,
  /** While it has a run, or wants one. */
  open: openSchema.optional(),
});
const accountsSchema = z.strictObject({
  /** UTC, as 2026-11. */
  month: z.string().regex(/^\d{4}-\d{2}$/),
  /** What workloads, deleted ones included, used in that month. */
  spent: amount,
  /** By the workload's uid: in a namespace's accounts as long as the workload is there, in the installation's as long as its run goes on. */
  workloads: z.record(z.string(), accountSchema),
  /** In the installation's accounts: the latest time that a clock ever showed. */
  latest: z.iso.datetime().optional(),
  /** In the installation's accounts: how many records of runs there are, by the month that these name; of the latest months. */
  recorded: z.record(z.string(), amount).optional(),
});

type Open = z.infer<typeof openSchema>;
type Account = z.infer<typeof accountSchema>;
export type Accounts = z.infer<typeof accountsSchema>;

export const NO_ACCOUNTS: Accounts = { month: "0000-00", spent: 0, workloads: {} };

/** A ConfigMap takes 1 MiB. */
const MAX_BYTES = 900_000;
const MOST_SPENT = Number.MAX_SAFE_INTEGER;
/** The latest time that was seen is written anew when it is this old: often enough for a licence, whose terms are days. */
const CLOCK_PACE_MS = 3_600_000;
/** As long as somebody may ask whether records are missing. */
const RECORDED_MONTHS = 36;

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

/** What a workload asks of a quota. */
export interface Claim {
  readonly namespace: string;
  readonly uid: string;
  readonly name: string;
  readonly created: string;
  /** work: steps are to be done. pause: it waits for a person. end: it has no run, or one that has ended. */
  readonly need: "work" | "pause" | "end";
  /** What it may use of the month: spec.budget.maxUsd, or its run's items. */
  readonly budget?: number;
  /** What it is known to have used. */
  readonly spent: number;
  /** UTC, as 2026-11. */
  readonly month: string;
  /** Of the installation's accounts. */
  readonly run?: RunClaim;
  /** The account of a run that it closes, whose usage record has to be there before. */
  readonly closes?: RunAccount;
  /** That record is there. */
  readonly isRecorded?: boolean;
}

/** The account of a run that had its place. */
export interface RunAccount {
  readonly opened: string;
  readonly run: string;
  readonly namespace: string;
  readonly name: string;
  /** What it adds to the sums of months, until it is closed. */
  readonly items: number;
  /** The latest that anything was counted in: a clock that is behind opens no month again. */
  readonly month: string;
}

export interface RunClaim {
  /** Another spec has another; absent where the spec asks for none. */
  readonly id?: string;
  /** Its run is there, whatever the accounts know of it. */
  readonly hasBegun: boolean;
  /** Now; absent where the answer alone is wanted. */
  readonly asksAt?: string;
}

export interface Settled {
  /** As they are to be; the same object where nothing changes. */
  readonly accounts: Accounts;
  /** Why it must not work yet. */
  readonly shortage?: Shortage;
}

/** Gives the workload what it needs, or says why not; takes what it needs no more. */
export function settle(before: Accounts, quota: Quota, claim: Claim): Settled {
  const { uid, need } = claim;
  const known = before.workloads[uid];
  if (need === "work") return settleWork(withoutEarlierRun(before, claim), quota, claim);
  if (!known) return { accounts: before };
  if (need === "end") {
    if (claim.run) return { accounts: close(before, { ...claim, spent: usedBy(known, claim) }) };
    if (!known.open && claim.spent <= known.spent) return { accounts: before };
    const { spent } = known;
    return { accounts: booked(withAccount(before, uid, { spent }), claim) };
  }
  if (!known.open || (!known.open.place && known.open.wants === undefined)) return { accounts: before };
  const { wants: _wants, ...open } = known.open;
  return { accounts: booked(withAccount(before, uid, { ...known, open: { ...open, place: false } }), claim) };
}

function settleWork(before: Accounts, quota: Quota, claim: Claim): Settled {
  const { uid, name, created, budget = 0, run } = claim;
  const known = before.workloads[uid];
  const { place = false, reserved = run?.hasBegun ? budget : 0 } = known?.open ?? {};
  if (!("problem" in quota) && quota.maxPerMonth !== undefined && claim.budget === undefined)
    return { accounts: before, shortage: { of: "budget", max: quota.maxPerMonth } };
  // What is set aside is never lowered while it works: steps that are under way may spend the budget they were given.
  const wants = Math.max(budget, reserved);
  if (place && wants === reserved) return { accounts: before };
  if ("problem" in quota) return { accounts: before, shortage: { of: "quota", problem: quota.problem } };
  const own = { name, created, ...(run?.id === undefined ? {} : { run: known?.open?.run ?? newRun(claim, run.id) }) };
  // What it used before it was known here belongs to no month of these.
  const account: Account = { spent: known?.spent ?? claim.spent, open: { ...own, place, reserved, wants } };
  const asking = withAccount(before, uid, account);
  const isGranted = granted(asking, quota, claim.month).some((one) => one.uid === uid);
  const shortage = isGranted ? {} : { shortage: whyNot(asking, quota, claim, wants) };
  // One that works keeps its place while a larger budget does not fit.
  if (!isGranted && place) return { accounts: before, ...shortage };
  const open: Open = isGranted ? { ...own, place: true, reserved: wants } : { ...own, place, reserved, wants };
  if (known?.open && canonicalJson(known.open) === canonicalJson(open)) return { accounts: before, ...shortage };
  const after = booked(withAccount(before, uid, { ...account, open }), claim);
  const bytes = bytesOf(after);
  if (bytes > MAX_BYTES && bytes > bytesOf(before))
    return { accounts: before, shortage: { of: "room", workloads: Object.keys(before.workloads).length } };
  return { accounts: after, ...shortage };
}

function newRun({ namespace, spent, run }: Claim, id: string): NonNullable<Open["run"]> {
  const { asksAt } = run ?? {};
  return {
    namespace,
    id,
    ...(asksAt === undefined ? {} : { opened: asksAt }),
    ...(spent > 0 ? { before: spent } : {}),
  };
}

/** A run of another spec is another run: what the one before it used counts, and it asks for all it needs. */
function withoutEarlierRun(before: Accounts, { uid, run, month, isRecorded }: Claim): Accounts {
  const known = before.workloads[uid];
  if (!known?.open?.run || known.open.run.id === run?.id) return before;
  return close(before, { uid, spent: undefined, month, isRecorded });
}

/** The account of a run that `settle` would close; undefined: none, or one of a run that never began. */
export function closedBy(before: Accounts, claim: Claim): RunAccount | undefined {
  const known = before.workloads[claim.uid];
  if (!known || !claim.run) return undefined;
  const { month } = before;
  if (claim.need === "end") return runAccount(known, usedBy(known, claim), month);
  return claim.need === "work" && known.open?.run?.id !== claim.run.id
    ? runAccount(known, undefined, month)
    : undefined;
}

/** That of a workload that is gone, or going; undefined: none, or one of a run that never began. */
export function openAccount(accounts: Accounts, uid: string): RunAccount | undefined {
  const known = accounts.workloads[uid];
  return known && runAccount(known, undefined, accounts.month);
}

function runAccount({ spent, open }: Account, used: number | undefined, month: string): RunAccount | undefined {
  if (!open?.run || !hasBegun(open)) return undefined;
  const { id, namespace, opened = id, before = 0 } = open.run;
  const items = left(Math.max(used ?? open.reserved, spent), before);
  return { opened, run: id, namespace, name: open.name, items, month };
}

/** All that was set aside for a run, and what it found beyond that; of one that never began nothing. */
function usedBy({ open }: Account, { spent }: Claim): number {
  return open && hasBegun(open) ? Math.max(spent, open.reserved) : 0;
}

/** It had a place once; nothing is set aside for those that never had one. */
function hasBegun({ place, reserved }: Open): boolean {
  return place || reserved > 0;
}

/**
 * It is gone: its account is closed, what it used stays in the month's sum. `spent`: undefined where nobody knows; then all that was
 * set aside for it counts.
 */
export function close(before: Accounts, { uid, spent, month, isRecorded = false }: Closing): Accounts {
  const known = before.workloads[uid];
  if (!known) return before;
  const after = booked(before, { uid, spent: spent ?? known.open?.reserved ?? 0, month });
  const { [uid]: _closed, ...workloads } = after.workloads;
  return { ...after, workloads, ...(isRecorded ? { recorded: oneMore(after.recorded, month) } : {}) };
}

function oneMore(recorded: Accounts["recorded"] = {}, month: string): Accounts["recorded"] {
  const all = Object.entries({ ...recorded, [month]: (recorded[month] ?? 0) + 1 });
  return Object.fromEntries(all.toSorted(([a], [b]) => (a < b ? -1 : 1)).slice(-RECORDED_MONTHS));
}

export interface Closing {
  readonly uid: string;
  readonly spent: number | undefined;
  readonly month: string;
  /** There is a usage record of the run, in this month. */
  readonly isRecorded?: boolean | undefined;
}

export interface Granted {
  readonly uid: string;
  readonly name: string;
  /** In the installation's accounts. */
  readonly namespace?: string;
}

/** Workloads whose turn it is, the first first. One whose budget does not fit keeps no smaller one waiting. */
export function granted(accounts: Accounts, quota: Limits, month: string): Granted[] {
  const namespaces = namespacesOf(accounts);
  let places = Math.max((quota.maxRunning ?? Number.POSITIVE_INFINITY) - placesTaken(accounts), 0);
  let rest = Math.max((quota.maxPerMonth ?? Number.POSITIVE_INFINITY) - committed(accounts, month), 0);
  return queueOf(accounts).flatMap(({ uid, open, spent, wants }) => {
    const place = open.place ? 0 : 1;
    const more = left(wants, spent) - left(open.reserved, spent);
    if (place > places || more > rest) return [];
    if (quota.closed && !hasBegun(open)) return [];
    const { namespace } = open.run ?? {};
    if (namespace !== undefined && !fits(namespace, namespaces, quota)) return [];
    places -= place;
    rest -= more;
    if (namespace !== undefined) namespaces.add(namespace);
    return [{ uid, name: open.name, ...(namespace === undefined ? {} : { namespace }) }];
  });
}

function queueOf({ workloads }: Accounts) {
  return Object.entries(workloads)
    .flatMap(([uid, { open, spent }]) => (open?.wants === undefined ? [] : [{ uid, open, spent, wants: open.wants }]))
    .toSorted((a, b) => a.open.created.localeCompare(b.open.created) || a.uid.localeCompare(b.uid));
}

/** Those with runs that have begun, at a gate too. */
function namespacesOf({ workloads }: Accounts): Set<string> {
  const begun = Object.values(workloads).flatMap(({ open }) => (open && hasBegun(open) ? (open.run ?? []) : []));
  return new Set(begun.map(({ namespace }) => namespace));
}

function fits(namespace: string, others: ReadonlySet<string>, { maxNamespaces }: Limits): boolean {
  return others.has(namespace) || others.size < (maxNamespaces ?? Number.POSITIVE_INFINITY);
}

function placesTaken({ workloads }: Accounts): number {
  return Object.values(workloads).filter(({ open }) => open?.place).length;
}

/** What is spent, and what may be by all for which something is set aside. */
function committed(accounts: Accounts, month: string): number {
  return inMonth(accounts, month).spent + setAside(accounts);
}

function setAside({ workloads }: Accounts): number {
  return Object.values(workloads).reduce((sum, { open, spent }) => sum + left(open?.reserved ?? 0, spent), 0);
}

function left(budget: number, spent: number): number {
  return Math.max(budget - spent, 0);
}

/** What of a quota is in use, for people. */
export interface Usage {
  readonly month: string;
  readonly spent: number;
  readonly setAside: number;
  readonly running: number;
  readonly waiting: number;
  readonly namespaces: number;
}

export function usageIn(accounts: Accounts): Usage {
  const { month, spent } = accounts;
  const [running, waiting] = [placesTaken(accounts), queueOf(accounts).length];
  return { month, spent, setAside: setAside(accounts), running, waiting, namespaces: namespacesOf(accounts).size };
}

/** The latest time that was seen, to the hour: a clock that is set back does not undo it. */
export function withClock(accounts: Accounts, now: Date): Accounts {
  const latest = accounts.latest === undefined ? Number.NEGATIVE_INFINITY : Date.parse(accounts.latest);
  return now.getTime() - latest < CLOCK_PACE_MS ? accounts : { ...accounts, latest: now.toISOString() };
}

/** In a new month nothing is spent yet. A clock that is behind opens no month again. */
function inMonth(accounts: Accounts, month: string): Accounts {
  return month > accounts.month ? { ...accounts, month, spent: 0 } : accounts;
}

/** What a workload used since it was last booked is the month's. Booked twice it counts once. */
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

function whyNot(accounts: Accounts, quota: Limits, { namespace, uid, month }: Claim, wants: number): Shortage {
  const { maxRunning = Number.POSITIVE_INFINITY, maxPerMonth, maxNamespaces, closed } = quota;
  const { spent: known = 0, open } = accounts.workloads[uid] ?? {};
  if (closed && !(open && hasBegun(open))) return { of: "closed", closed };
  if (maxPerMonth !== undefined && wants > maxPerMonth) return { of: "every month", wants, max: maxPerMonth };
  const running = placesTaken(accounts);
  if (running >= maxRunning && !open?.place) return { of: "places", running, max: maxRunning };
  const namespaces = namespacesOf(accounts);
  if (maxNamespaces !== undefined && open?.run && !fits(namespace, namespaces, quota))
    return { of: "namespaces", used: namespaces.size, max: maxNamespaces };
  const { spent } = inMonth(accounts, month);
  const more = left(wants, known) - left(open?.reserved ?? 0, known);
  if (maxPerMonth === undefined || committed(accounts, month) + more <= maxPerMonth) return { of: "turn" };
  return { of: "month", month, wants, max: maxPerMonth, spent, setAside: setAside(accounts) };
}
