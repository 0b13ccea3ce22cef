import { type Mutation, mutationsOf } from "./mutation.ts";

const LIMITS = ["test/unit/quota/limits.test.ts"];
const ACCOUNTS = ["test/unit/quota/accounts.test.ts"];
const QUOTAS = ["test/unit/quota/quotas.test.ts"];
const RECONCILE = ["test/unit/reconcile/quota.test.ts"];
const LEDGER = ["test/integration/ledger.test.ts"];
const REQUESTS = ["test/integration/requests.test.ts"];

/** What a namespace may use, whoever asks, dies or deletes. */
export const QUOTA_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/quota/limits.ts", LIMITS, [
    {
      why: "a misspelt limit lifts none",
      find: "const limitsSchema = z.strictObject({",
      replace: "const limitsSchema = z.object({",
    },
    { why: "a limit is no negative number", find: "z.int().min(0).optional()", replace: "z.int().optional()" },
    {
      why: "a wrong quota lifts none",
      find: "if (!parsed.success) return { problem: problemText(key, schemaProblems(parsed.error)) };",
      replace: "if (!parsed.success) continue;",
    },
    {
      why: "what a namespace's key leaves out is limited by the default",
      find: "limits = { ...limits, ...parsed.data };",
      replace: "limits = parsed.data;",
    },
    {
      why: "a namespace without a key has the default",
      find: "[DEFAULT_KEY, namespace].filter",
      replace: "[namespace].filter",
    },
  ]),
  ...mutationsOf("lib/quota/micro-usd.ts", ACCOUNTS, [
    {
      why: "a sum of dollars is exact",
      find: "Math.ceil(Number((usd * MICRO).toFixed(3)))",
      replace: "Math.ceil(usd * MICRO)",
    },
    { why: "less than a millionth counts", find: "Math.ceil(Number(", replace: "Math.floor(Number(" },
    {
      why: "a cost that an agent makes up leaves the accounts readable",
      find: "return Math.min(Math.ceil(Number((usd * MICRO).toFixed(3))), MOST);",
      replace: "return Math.ceil(Number((usd * MICRO).toFixed(3)));",
    },
  ]),
  ...mutationsOf("lib/quota/accounts.ts", ACCOUNTS, [
    {
      why: "accounts that were changed by hand are not guessed at",
      find: "return accountsSchema.parse(JSON.parse(text));",
      replace: "return JSON.parse(text) as Accounts;",
    },
    {
      why: "a sum has an end",
      find: "Math.min(accounts.spent + spent - known.spent, MOST_SPENT)",
      replace: "accounts.spent + spent - known.spent",
    },
    {
      why: "where a month is limited, a budget is needed",
      find: "quota.maxPerMonth !== undefined && claim.budget === undefined",
      replace: "quota.maxPerMonth !== undefined && claim.budget === undefined && !known",
    },
    {
      why: "a budget that is lowered is still that of steps under way",
      find: "const wants = Math.max(budget, reserved);",
      replace: "const wants = budget;",
    },
    {
      why: "a budget that is raised is set aside first",
      find: "if (place && wants === reserved) return { accounts: before };",
      replace: "if (place) return { accounts: before };",
    },
    {
      why: "under a quota that is wrong nothing starts",
      find: 'if ("problem" in quota) return { accounts: before, shortage: { of: "quota", problem: quota.problem } };',
      replace: 'if ("problem" in quota) return { accounts: before };',
    },
    {
      why: "what a workload cost before belongs to no month of these",
      find: "spent: known?.spent ?? claim.spent,",
      replace: "spent: known?.spent ?? 0,",
    },
    {
      why: "a larger budget that does not fit takes no place away",
      find: "  if (!isGranted && place) return { accounts: before, ...shortage };\n",
      replace: "",
    },
    {
      why: "accounts fit into a ConfigMap",
      find: "if (bytes > MAX_BYTES && bytes > bytesOf(before))",
      replace: "if (false)",
    },
    {
      why: "full accounts let those that are there go on",
      find: "if (bytes > MAX_BYTES && bytes > bytesOf(before))",
      replace: "if (bytes > MAX_BYTES)",
    },
    {
      why: "places are limited",
      find: "if (place > places || more > rest) return [];",
      replace: "if (more > rest) return [];",
    },
    {
      why: "dollars are limited",
      find: "if (place > places || more > rest) return [];",
      replace: "if (place > places) return [];",
    },
    { why: "one in the queue takes its place from those after it", find: "    places -= place;\n", replace: "" },
    { why: "one in the queue takes its dollars from those after it", find: "    rest -= more;\n", replace: "" },
    {
      why: "a place that one has is asked for once",
      find: "const place = open.place ? 0 : 1;",
      replace: "const place = 1;",
    },
    {
      why: "dollars that are set aside are asked for once",
      find: "const more = left(wants, spent) - left(open.reserved, spent);\n    if",
      replace: "const more = left(wants, spent);\n    if",
    },
    {
      why: "who was made first is first",
      find: "a.open.created.localeCompare(b.open.created) || ",
      replace: "",
    },
    {
      why: "of two made in the same second all see the same first",
      find: " || a.uid.localeCompare(b.uid)",
      replace: "",
    },
    {
      why: "what is set aside counts as spent",
      find: "return inMonth(accounts, month).spent + setAside(accounts);",
      replace: "return inMonth(accounts, month).spent;",
    },
    {
      why: "what is spent of it counts once",
      find: "left(open?.reserved ?? 0, spent), 0);",
      replace: "(open?.reserved ?? 0), 0);",
    },
    {
      why: "a clock that is behind opens no month again",
      find: "return month > accounts.month ?",
      replace: "return month !== accounts.month ?",
    },
    {
      why: "a new month begins at nothing",
      find: "return month > accounts.month ? { ...accounts, month, spent: 0 } : accounts;",
      replace: "return accounts;",
    },
    {
      why: "a cost is booked once",
      find: "const sum = Math.min(accounts.spent + spent - known.spent, MOST_SPENT);",
      replace: "const sum = Math.min(accounts.spent + spent, MOST_SPENT);",
    },
    {
      why: "a cost is never taken back",
      find: "if (!known || spent <= known.spent) return accounts;",
      replace: "if (!known) return accounts;",
    },
    {
      why: "a workload that is gone is closed once",
      find: "  const known = before.workloads[uid];\n  if (!known) return before;\n  const after",
      replace: "  const known = before.workloads[uid] ?? { spent: 0, open: undefined };\n  const after",
      equivalent: "what is not there has nothing to be booked: only a write is saved",
    },
    {
      why: "where nobody knows, all that was set aside is spent",
      find: "spent: spent ?? known.open?.reserved ?? 0",
      replace: "spent: spent ?? 0",
    },
    { why: "one that pauses gives its place back", find: "open: { ...open, place: false } }", replace: "open }" },
  ]),
  ...mutationsOf("lib/quota/quotas.ts", QUOTAS, [
    {
      why: "accounts are replaced as they were read",
      find: 'return result === "written" ? accounts : "conflict";',
      replace: "return accounts;",
    },
    {
      why: "nothing is written where nothing changes",
      find: "    if (accounts === before) return accounts;\n",
      replace: "",
    },
    {
      why: "accounts that are unreadable keep no others from being read",
      find: "        } catch {\n          // Its workloads say so in their status.\n          return [];\n        }",
      replace: "        } catch (error) {\n          throw error;\n        }",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/quota.ts", RECONCILE, [
    {
      why: "a place is kept while a step is under way",
      find: 'need === "work" || !open || !(await deps.isWorkedOn(claim.uid))',
      replace: "true",
    },
    {
      why: "what may still be booked counts",
      find: 'spentUsd + (need === "end" ? inFlightUsd : 0)',
      replace: "spentUsd",
    },
    {
      why: "the budget ledger counts",
      find: "Math.max(cost, knownSpentUsd(observed))",
      replace: "knownSpentUsd(observed)",
    },
    { why: "the run's results count", find: "Math.max(cost, knownSpentUsd(observed))", replace: "cost" },
    {
      why: "a run that has its end needs no place for it",
      find: "  if (progress?.walk.end) return undefined;\n",
      replace: "",
    },
    {
      why: "a run that waits for a person needs no place",
      find: 'return isHeld(observed) || isAwaitingReview(progress) ? "pause" : "work";',
      replace: 'return isHeld(observed) ? "pause" : "work";',
    },
    {
      why: "a run that is suspended needs no place",
      find: 'return isHeld(observed) || isAwaitingReview(progress) ? "pause" : "work";',
      replace: 'return isAwaitingReview(progress) ? "pause" : "work";',
    },
    {
      why: "those whose turn it is are woken",
      find: "for (const { name, namespace = scope } of granted(accounts, quota, monthOf(now()))) wake({ namespace, name });",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/plan.ts", RECONCILE, [
    {
      why: "nothing starts before it is in the accounts",
      find: '  if (claim.some(({ claim: { need } }) => need === "work")) return claim;\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/run-state.ts", RECONCILE, [
    { why: "what has no place starts nothing", find: " || quota?.wait !== undefined", replace: "" },
  ]),
  ...mutationsOf("functions/reconcile/workload/status.ts", RECONCILE, [
    { why: "what has no place is Pending", find: '  if (quota?.wait) return "Pending";\n', replace: "" },
    {
      why: "what has no place says why",
      find: "context.stall ?? observed.quota?.wait ?? stallOf",
      replace: "context.stall ?? stallOf",
    },
    {
      why: "what has no place has not started",
      find: "(quota?.wait ? undefined : now.toISOString())",
      replace: "now.toISOString()",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/apply.ts", RECONCILE, [
    {
      why: "steps know what the accounts know to be spent",
      find: "Math.max(knownSpentUsd(observed), observed.quota?.spentUsd ?? 0)",
      replace: "knownSpentUsd(observed)",
    },
    {
      why: "calls in flight of a deleted workload count at their worst",
      find: "Math.max(spentUsd + inFlightUsd, knownSpentUsd(observed))",
      replace: "Math.max(spentUsd, knownSpentUsd(observed))",
    },
    {
      why: "a deletion waits for Redis to say what was spent",
      find: "      if (givesUp) return undefined;\n      throw error;",
      replace: "      return undefined;",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/reconcile.ts", RECONCILE, [
    {
      why: "what follows a claim is decided by the accounts as they are",
      find: '  if (did("claim")) return "again";\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/resync.ts", RECONCILE, [
    {
      why: "accounts of workloads that are gone are closed",
      find: "    for (const account of [...gone.values()].flat())\n",
      replace: "    for (const account of [] as SeenAccount[])\n",
    },
    {
      why: "accounts of workloads that are there are kept",
      find: "    gone.delete(object.metadata.uid);\n",
      replace: "",
    },
    {
      why: "an account that a run left open is looked at",
      find: "    if (!all.some(({ isOpen }) => isOpen)) return !isOver(object, now);\n",
      replace: "    if (isOver(object, now)) return false;\n",
    },
    {
      why: "what waits for its turn costs a resync nothing",
      find: "return !(all.some(({ waits }) => waits) && isSeen(object));",
      replace: "return true;",
    },
    {
      why: "one in the queue that was edited is looked at",
      find: "return !(all.some(({ waits }) => waits) && isSeen(object));",
      replace: "return !all.some(({ waits }) => waits);",
    },
    {
      why: "one in the queue that is deleted is looked at",
      find: "return metadata.deletionTimestamp === undefined && seen",
      replace: "return seen",
    },
    { why: "one whose turn it is is looked at", find: " && !next.has(uid);", replace: ";" },
    {
      why: "one whose quota is wrong is looked at",
      find: "const waits = isValid && ",
      replace: "const waits = ",
    },
  ]),
  ...mutationsOf("lib/model/ledger.ts", LEDGER, [
    {
      why: "a ledger that an agent wrote is not believed",
      find: '  if (!parsed.success)\n    throw new TerminalError("LedgerInvalid"',
      replace:
        '  if (!parsed.success) return { spentUsd: 0, inFlightUsd: 0 };\n  if (!parsed.success)\n    throw new TerminalError("LedgerInvalid"',
    },
    {
      why: "a reservation whose call must have ended is spent",
      find: "(ends <= now.getTime() === isOver ? worst : 0)",
      replace: "(isOver ? 0 : worst)",
    },
  ]),
  ...mutationsOf("lib/durable/requests.ts", REQUESTS, [
    {
      why: "who is about to be asked works on it",
      find: ".some(({ requested, held }) => requested || held);",
      replace: ".some(({ held }) => held);",
    },
    {
      why: "who holds a step works on it",
      find: ".some(({ requested, held }) => requested || held);",
      replace: ".some(({ requested }) => requested);",
    },
  ]),
];
