import { type Mutation, mutationsOf } from "./mutation.ts";

const LICENCE = ["test/unit/licence/licence.test.ts"];
const STANDING = ["test/unit/licence/standing.test.ts"];
const FILE = ["test/unit/licence/licence-file.test.ts"];
const RUNS = ["test/unit/quota/runs.test.ts"];
const QUOTAS = ["test/unit/quota/quotas.test.ts"];
const RECONCILE = ["test/unit/reconcile/licence.test.ts"];
const JUDGE = ["test/unit/admit/judge.test.ts"];

/** What an installation may do, whatever token it was given, whatever its clock says. */
export const LICENCE_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("lib/licence/licence.ts", LICENCE, [
    { why: "a licence is signed with EdDSA", find: ', { algorithms: ["EdDSA"] }', replace: "" },
    {
      why: "a token that was signed for something else is no licence",
      find: "if (protectedHeader.typ !== LICENCE_TYPE)",
      replace: "if (false)",
    },
    {
      why: "a token names its key",
      find: 'if (typeof header.kid !== "string") throw new errors.JWKSNoMatchingKey();',
      replace: "",
    },
    { why: "a licence has no claim that nobody knows", find: "z\n  .strictObject({", replace: "z\n  .object({" },
    {
      why: "a misspelt limit lifts none",
      find: "limits: z.strictObject({",
      replace: "limits: z.object({",
    },
    { why: "grace has an end", find: "z.int().min(0).max(365)", replace: "z.int().min(0)" },
    { why: "grace is no negative number", find: "z.int().min(0).max(365)", replace: "z.int().max(365)" },
    { why: "a limit allows something", find: "z.int().min(1).optional()", replace: "z.int().optional()" },
    { why: "a time is one", find: ".min(0).max(253_402_300_799)", replace: "" },
    { why: "a licence ends after it begins", find: "nbf < exp,", replace: "nbf <= exp," },
    { why: "names steer no terminal", find: "/^[^\\p{C}\\p{Zl}\\p{Zp}]{1,100}$/u", replace: "/^.{1,100}$/su" },
    { why: "names are short", find: "{1,100}$/u", replace: "+$/u" },
    {
      why: "what is wrong with a token is one line",
      find: 'return why.replaceAll(/[\\p{C}\\s]+/gu, " ").trim();',
      replace: "return why;",
    },
  ]),
  ...mutationsOf("lib/licence/keys.ts", LICENCE, [
    {
      why: "nobody's private key is in the settings",
      find: '        d: z.never("is a private key, which its issuer alone may have").optional(),\n',
      replace: "",
    },
    { why: "nobody takes the project's kid", find: "one.kid !== kid)", replace: "true)" },
    { why: "a key has its kid", find: "kid: z.string().min(1)", replace: 'kid: z.string().default("none")' },
  ]),
  ...mutationsOf("lib/licence/standing.ts", STANDING, [
    { why: "a licence counts from its beginning", find: "if (now < begins)", replace: "if (false)" },
    { why: "after its grace nothing new starts", find: "if (now >= closes) {", replace: "if (now > closes) {" },
    { why: "grace is given", find: "ends.getTime() + grace * DAY_MS", replace: "ends.getTime()" },
    { why: "a licence in its grace says so", find: "if (now >= ends)\n", replace: "if (now > ends)\n" },
    { why: "a licence that ends soon says so", find: "> WARN_MS) return", replace: ">= WARN_MS) return" },
    {
      why: "a clock that is set back brings no licence back",
      find: "standingAt(reading, isSetBack ? seen : clock)",
      replace: "standingAt(reading, clock)",
    },
    { why: "clocks differ", find: "> CLOCK_TOLERANCE_MS", replace: "> 0" },
    { why: "an expired licence is not in force", find: "notice?.reason !== LICENCE_REASON.expired && ", replace: "" },
    {
      why: "what does not count allows no more than the community limits",
      find: "return withNotice(limitsOf(COMMUNITY), {",
      replace: "return withNotice({}, {",
    },
  ]),
  ...mutationsOf("lib/edges/licence-file.ts", FILE, [
    { why: "a renewed licence is read", find: "if (last?.text !== text)", replace: "if (!last)" },
    {
      why: "a file that cannot be read lifts no limit",
      find: '      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;\n      return {',
      replace: "      return undefined;\n      return {",
    },
    {
      why: "no licence is none that is wrong",
      find: '      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;\n',
      replace: "",
    },
  ]),
  ...mutationsOf("lib/quota/accounts.ts", RUNS, [
    {
      why: "after the licence's end nothing new starts",
      find: "    if (quota.closed && !hasBegun(open)) return [];\n",
      replace: "",
    },
    {
      why: "after the licence's end what has begun goes on",
      find: "if (quota.closed && !hasBegun(open)) return [];",
      replace: "if (quota.closed) return [];",
    },
    {
      why: "namespaces are limited",
      find: "    if (namespace !== undefined && !fits(namespace, namespaces, quota)) return [];\n",
      replace: "",
    },
    {
      why: "a namespace that comes in takes its place from those after it",
      find: "    if (namespace !== undefined) namespaces.add(namespace);\n",
      replace: "",
    },
    { why: "a namespace that is in stays in", find: "others.has(namespace) || ", replace: "" },
    {
      why: "a namespace at its gate counts",
      find: "return place || reserved > 0;",
      replace: "return place;",
    },
    {
      why: "a run of another spec is another run",
      find: "if (!known?.open?.run || known.open.run.id === run?.id) return before;",
      replace: "return before;",
    },
    {
      why: "the same run is no other",
      find: "if (!known?.open?.run || known.open.run.id === run?.id) return before;",
      replace: "if (!known?.open?.run) return before;",
    },
    {
      why: "what the run before an edit used counts",
      find: "return close(before, { uid, spent: undefined, month, isRecorded });",
      replace: "return close(before, { uid, spent: 0, month, isRecorded });",
    },
    {
      why: "a run whose accounts were lost has begun",
      find: "reserved = run?.hasBegun ? budget : 0",
      replace: "reserved = 0",
    },
    {
      why: "a run that never began uses nothing",
      find: "return open && hasBegun(open) ? Math.max(spent, open.reserved) : 0;",
      replace: "return Math.max(spent, open?.reserved ?? 0);",
    },
    {
      why: "all items of a run count",
      find: "return open && hasBegun(open) ? Math.max(spent, open.reserved) : 0;",
      replace: "return open && hasBegun(open) ? spent : 0;",
    },
    {
      why: "items that a run finds count",
      find: "return open && hasBegun(open) ? Math.max(spent, open.reserved) : 0;",
      replace: "return open && hasBegun(open) ? open.reserved : 0;",
    },
    {
      why: "accounts of runs that have ended are closed",
      find: "    if (claim.run) return { accounts: close(before, { ...claim, spent: usedBy(known, claim) }) };\n",
      replace: "",
    },
    {
      why: "a clock that is set back does not undo the latest time",
      find: "return now.getTime() - latest < CLOCK_PACE_MS ?",
      replace: "return Math.abs(now.getTime() - latest) < CLOCK_PACE_MS ?",
    },
    {
      why: "the time costs a write an hour",
      find: "now.getTime() - latest < CLOCK_PACE_MS",
      replace: "now.getTime() < latest",
    },
    {
      why: "after the licence's end it is said that this is why",
      find: '  if (closed && !(open && hasBegun(open))) return { of: "closed", closed };\n',
      replace: "",
    },
  ]),
  ...mutationsOf("lib/quota/quotas.ts", QUOTAS, [
    {
      why: "the latest time that was seen judges the licence",
      find: "standingOf(reading, now, accounts.latest)",
      replace: "standingOf(reading, now, undefined)",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/quota.ts", RECONCILE, [
    {
      why: "what waits for one quota takes no place of another",
      find: "!lacking || one.claim === lacking.claim ? one : withoutPlace(one)",
      replace: "one",
    },
    {
      why: "a run that is made again has begun",
      find: 'return isMadeAgain(observed) ? undefined : "end";',
      replace: 'return "end";',
    },
    {
      why: "a run that is tried again counts its items once",
      find: "runObject !== undefined || hasEndedBefore(observed, run, deps)",
      replace: "runObject !== undefined",
    },
    {
      why: "items count once they are known to be the run's",
      find: "spent: isKnown ? Math.max(budget, foundItems(observed, run)) : 0,",
      replace: "spent: Math.max(budget, foundItems(observed, run)),",
    },
    {
      why: "items that steps return count",
      find: "Math.max(budget, foundItems(observed, run))",
      replace: "budget",
    },
    {
      why: "a run without lists is one item",
      find: "Math.max(listedItems(run.pipeline.steps, run.inputs), 1)",
      replace: "listedItems(run.pipeline.steps, run.inputs)",
    },
    {
      why: "a run whose accounts were lost has begun",
      find: "hasBegun: runObject !== undefined, asksAt }",
      replace: "hasBegun: false, asksAt }",
    },
    {
      why: "whose turn has come is woken where it is",
      find: "for (const { name, namespace = scope } of granted",
      replace: 'for (const { name, namespace = "" } of granted',
      tests: ["test/unit/reconcile/quota.test.ts"],
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/apply.ts", RECONCILE, [
    {
      why: "a workload that is gone gives its place back",
      find: '    "its account in the installation\'s could not be": () =>\n      closeAccount({ scope: INSTALLATION, uid }, async () => undefined, deps, record),\n',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/status.ts", RECONCILE, [
    {
      why: "what is wrong with a licence is said in the status",
      find: '      ...licensed(observed).map((said) => say("Licensed", said)),\n',
      replace: "",
    },
    {
      why: "a condition says whether new runs start",
      find: "isInForce({ notice }) ? yes(reason, message) : no(reason, message)",
      replace: "yes(reason, message)",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/kubernetes-event.ts", RECONCILE, [
    {
      why: "what is new of a licence is an Event",
      find: " ...licenceEvent(object, status, now),",
      replace: "",
    },
    {
      why: "what was said of a licence is no second Event",
      find: "licensed.reason === before?.reason || ",
      replace: "",
    },
    {
      why: "why a workload waits is one Event",
      find: ' || licensed.reason === conditionIn(status, "Ready")?.reason',
      replace: "",
    },
  ]),
  ...mutationsOf("functions/reconcile/resync.ts", RECONCILE, [
    { why: "the time is noted", find: "    noteClock(deps),\n", replace: "" },
  ]),
  ...mutationsOf("functions/admit/judge-quota.ts", JUDGE, [
    {
      why: "other terms of a run that is there are no new run",
      find: "const wait = open?.run?.id === id ? undefined : waitIn(use, claim);",
      replace: "const wait = waitIn(use, claim);",
    },
    {
      why: "another run of a workload that works is a new one",
      find: "const wait = open?.run?.id === id ? undefined : waitIn(use, claim);",
      replace: "const wait = open ? undefined : waitIn(use, claim);",
    },
    {
      why: "a workload of the same name elsewhere is another",
      find: " && run?.namespace === metadata.namespace",
      replace: "",
    },
    {
      why: "a suspended workload is told nothing of the licence",
      find: "if (!use || spec.suspend) return NOTHING;",
      replace: "if (!use) return NOTHING;",
    },
    { why: "a run counts its items", find: "Math.max(listedItems(steps, spec.inputs), 1)", replace: "1" },
    {
      why: "what is said of a licence is said once",
      find: "use.notice && use.notice.reason !== wait?.reason",
      replace: "use.notice",
    },
  ]),
];
