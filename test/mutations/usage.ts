import { type Mutation, mutationsOf } from "./mutation.ts";

const RECORD = ["test/unit/usage/record.test.ts"];
const FILE = ["test/unit/usage/file.test.ts"];
const RECONCILE = ["test/unit/reconcile/usage.test.ts"];
const SERVED = ["test/integration/artifacts-served.test.ts"];
const PLUGIN = ["test/unit/kubectl/usage.test.ts"];
const STORE = ["test/integration/usage-store.test.ts"];

/** What runs used is recorded once, and nobody takes it back. */
export const USAGE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/usage/record.ts", RECORD, [
    {
      why: "a step that two runs share is paid once",
      find: "if (!known.has(mark)) counted.set(mark, result);",
      replace: "counted.set(mark, result);",
    },
    {
      why: "equal results of a fan-out count each",
      find: "sha256(`${name} ${time}`)",
      replace: "sha256(name)",
    },
    {
      why: "what was recorded is not recorded again",
      find: "more(use, before.get(use.model))",
      replace: "more(use, undefined)",
    },
    {
      why: "what Redis lost of the ledger, results still say",
      find: "    sumOfModels([[...said.values(), ...saidBefore.values()]]),\n",
      replace: "",
    },
    {
      why: "a call of a step that was under way is not counted twice",
      find: "sumOfModels([[...said.values(), ...saidBefore.values()]]),\n    before,",
      replace: "sumOfModels([[...said.values(), ...before.values()]]),\n    before,",
    },
    {
      why: "a ledger that Redis lost takes nothing back",
      find: "    before,\n  ]);",
      replace: "  ]);",
    },
    {
      why: "worst cases that were booked since are taken back",
      find: "ledger.unsettledNanoUsd - unsettledBefore",
      replace: "ledger.unsettledNanoUsd",
    },
    {
      why: "what the ledger knows is not said apart once more",
      find: "Math.max(Math.round(said - known), 0)",
      replace: "Math.max(Math.round(said), 0)",
    },
  ]),
  ...mutationsOf("lib/usage/file.ts", FILE, [
    {
      why: "a record that was edited is noticed",
      find: 'opened.some((one) => "statement" in one)',
      replace: "opened.length > 0",
    },
  ]),
  ...mutationsOf("lib/quota/accounts.ts", RECONCILE, [
    {
      why: "a run that never began has no record",
      find: "if (!open?.run || !hasBegun(open)) return undefined;",
      replace: "if (!open?.run) return undefined;",
    },
    {
      why: "a run that is tried again records its items once",
      find: "left(Math.max(used ?? open.reserved, spent), before)",
      replace: "Math.max(used ?? open.reserved, spent)",
    },
    {
      why: "records are counted",
      find: ", ...(isRecorded ? { recorded: oneMore(after.recorded, month) } : {})",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/quota.ts", RECONCILE, [
    {
      why: "a run's account is closed after its record",
      find: "return closes ? { ...claim, closes } : claim;",
      replace: "return claim;",
    },
    {
      why: "the account of the next run is not closed for the record of the one before",
      find: "closedBy(accounts, settled)?.opened === closes?.opened",
      replace: "accounts !== undefined",
    },
    {
      why: "a workload whose finalizer was taken away is recorded",
      find: "const account = scope === INSTALLATION ? await accountLeft(uid, deps) : undefined;",
      replace: "const account = undefined as RunAccount | undefined;",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/usage.ts", RECONCILE, [
    {
      why: "a run is recorded once",
      find: "const record = known ?? (await add(await createRecord(facts, used, earlier, deps), deps));",
      replace:
        "const record = await add({ ...(await createRecord(facts, used, earlier, deps)), part: `${part}-${earlier.length}` }, deps);",
    },
    {
      why: "a clock that was set back opens no month again",
      find: "[account.month, now.month].toSorted()[1] ?? now.month",
      replace: "now.month",
    },
    {
      why: "nothing is recorded where nothing more was used",
      find: "if (!known && !saysMore(record)) return;",
      replace: "",
    },
    {
      why: "the record that is there counts",
      find: "  if (known) return known;\n  throw",
      replace: "  if (known) return record;\n  throw",
      equivalent:
        "a record of one part says the same items and the same month, but for a process that was paused over the end of a month",
    },
    {
      why: "a Broker that is away keeps no run from ending",
      find: ".catch((error: unknown) => {",
      replace: ".finally(() => {}).catch((error: unknown) => {\n    throw error;",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/apply.ts", RECONCILE, [
    {
      why: "what a deleted run used is recorded before its nodes go",
      find: "  if (account) await recordRun(account, usedBy(observed), ",
      replace: "  if (account && !deps) await recordRun(account, usedBy(observed), ",
    },
    {
      why: "what the last calls of a deleted run cost is recorded",
      find: "      await recordRest(used, { ...deps, readUse });\n",
      replace: "",
    },
    {
      why: "a deletion records a run that no look recorded before",
      find: 'if (account) record = await recordRun(account, used, "deleted", { ...deps, readUse });',
      replace: "",
    },
    {
      why: "a deletion does not wait for ever for the ledger",
      find: "return (ledger) => readUse(ledger).catch(() => undefined);",
      replace: "return readUse;",
    },
  ]),
  ...mutationsOf("lib/edges/usage-store.ts", STORE, [
    {
      why: "a copy of a record under another key counts nothing",
      find: "record?.part === part && record",
      replace: "record",
    },
    {
      why: "records of other months are no part of a month",
      find: 'all.filter((one) => "broken" in one || one.record.month === month)',
      replace: "all",
    },
  ]),
  ...mutationsOf("lib/edges/artifacts/s3-client.ts", STORE, [
    {
      why: "a record in a bucket is never written over",
      find: ', ...(onlyNew ? { "if-none-match": "*" } : {})',
      replace: "",
    },
  ]),
  ...mutationsOf("lib/edges/artifacts/folder.ts", STORE, [
    {
      why: "a record in a folder is never written over",
      find: "await link(draft, path);",
      replace: "await rename(draft, path);",
    },
  ]),
  ...mutationsOf(
    "lib/model/ledger.ts",
    ["test/integration/usage-ledger.test.ts"],
    [
      {
        why: "what a model was paid is added up",
        find: "calls + 1, cost + ARGV[3], input + ARGV[7], cached",
        replace: "calls + 1, ARGV[3] + 0, input + ARGV[7], cached",
      },
    ],
  ),
  ...mutationsOf("functions/artifacts/usage.ts", SERVED, [
    { why: "usage is for who shows a token", find: "if (!mayRead) {", replace: "if (false) {" },
    {
      why: "a tenant reads its own namespace's usage",
      find: "(own === SHARED_NAMESPACE || own === asked)",
      replace: "own.length > 0",
    },
    {
      why: "a person whose name is like a service account's is none",
      find: "/^system:serviceaccount:([^:]+):[^:]+$/",
      replace: "/^system:serviceaccount:([^:]+)/",
    },
    { why: "a token has an end", find: "token.length <= MAX_TOKEN", replace: "true" },
    { why: "a month is one", find: "(0[1-9]|1[0-2])$/.test(month)", replace: "..$/.test(month)" },
  ]),
  ...mutationsOf("lib/usage/served.ts", SERVED, [
    {
      why: "an answer that broke off is no smaller bill",
      find: '!("end" in last) || last.end !== lines.length',
      replace: '!("end" in last)',
    },
  ]),
  ...mutationsOf("cli/kubectl/usage.ts", PLUGIN, [
    { why: "missing records are noticed", find: "...(missing > 0 ?", replace: "...(missing > 1000 ?" },
    {
      why: "a forged record stands in for none that is missing",
      find: "files.filter((_, at) => signed[at]).flatMap",
      replace: "files.flatMap",
    },
    {
      why: "without a key nothing is said to hold",
      find: "if (keys.length === 0)",
      replace: "if (keys.length > 1000)",
    },
    {
      why: "what was not checked whole is not said to hold",
      find: "if (verify && !allNamespaces)",
      replace: "if (verify && !month)",
    },
  ]),
  ...mutationsOf(
    "lib/licence/standing.ts",
    ["test/unit/licence/standing.test.ts"],
    [
      {
        why: "a clock that was set back is said without a licence, too",
        find: "if (!isSetBack) return standing;",
        replace: "if (!isSetBack || reading === undefined) return standing;",
      },
    ],
  ),
];
