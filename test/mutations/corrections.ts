import { type Mutation, mutationsOf } from "./mutation.ts";

const ENGINE = ["test/unit/engine/corrections.test.ts"];
const APPROVE = ["test/integration/corrections.test.ts"];
const APPLICATION = ["test/unit/corrected.test.ts"];
const CARRIED = ["test/unit/reconcile/carried-corrections.test.ts"];
const RECONCILE = ["test/unit/reconcile/corrections.test.ts"];

/** What a reviewer may correct, and what comes of it. */
export const CORRECTIONS_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("engine/corrections.ts", ENGINE, [
    {
      why: "corrections have a limit of characters",
      find: "if (length <= MAX_CORRECTIONS_LENGTH) return undefined;",
      replace: "return undefined;",
    },
    {
      why: "corrections have a limit of number",
      find: "if (corrections.length > MAX_CORRECTIONS)",
      replace: "if (false)",
    },
    {
      why: "a correction is carried over to a fact that is as it was",
      find: "carried: before.filter(fits)",
      replace: "carried: before",
    },
    {
      why: "what was said of a fact that is gone is forgotten",
      find: "!fits(one) && isThere(one)",
      replace: "!fits(one)",
    },
    { why: "what is remembered has a limit", find: "filter(fits).slice(-MAX_CARRIED)", replace: "filter(fits)" },
    { why: "what is noted has a limit", find: "isThere(one)).slice(-MAX_CARRIED)", replace: "isThere(one))" },
    {
      why: "an earlier review is not read once this run's is opened",
      find: "  if (opened) return { opened };\n",
      replace: "",
    },
    {
      why: "the review that asked for changes is remembered where the gate opens again",
      find: "one.gate === gate && one.digest === digest);",
      replace: "false && one.digest === digest);",
    },
    {
      why: "an approval is remembered by what is compared with it, and by no edit",
      find: 'last && last.decision !== "approved" ?',
      replace: "last ?",
    },
    {
      why: "what the reviewer says of a fact takes the place of what was carried over",
      find: "carried.filter((one) => !said.has(nameOf(one)))",
      replace: "[...carried]",
    },
    {
      why: "a fact that is kept is not corrected",
      find: '(action === "keep" ? [] : [',
      replace: "(false ? [] : [",
    },
    {
      why: "only what was carried over can be kept as it was found",
      find: 'if (action === "keep" && !carried',
      replace: "if (false && !carried",
    },
    { why: "a fact is corrected once", find: 'known.has(name) ? "it is corrected twice" : ', replace: "" },
    {
      why: "a fact is corrected in its own finding",
      find: "finding.step === step && itemName(finding.item) === item",
      replace: "finding.step === step",
    },
    {
      why: "a fact is corrected of its own step",
      find: "finding.step === step && itemName",
      replace: "itemName",
    },
    {
      why: "what is corrected is what was seen",
      find: "  if (fact.value !== of) return",
      replace: "  if (false) return",
    },
    {
      why: "correct needs a value",
      find: 'if (action === "correct" && !value?.trim())',
      replace: "if (false)",
    },
    {
      why: "only correct has a value",
      find: 'if (action !== "correct" && value !== undefined)',
      replace: "if (false)",
    },
    {
      why: "comment needs a comment",
      find: 'if (action === "comment" && !comment?.trim())',
      replace: "if (false)",
    },
  ]),
  ...mutationsOf(
    "engine/changes.ts",
    ["test/unit/engine/changes.test.ts"],
    [
      {
        why: "a step is told what was said of its own item's facts",
        find: "name === undefined || one.item === undefined || one.item === name",
        replace: "true",
      },
    ],
  ),
  ...mutationsOf(
    "pipelines/market-analysis/ask.ts",
    ["test/unit/ask.test.ts"],
    [
      {
        why: "what reviewers say of facts does not end what is theirs",
        find: '`${comment}${ofFacts}`.replaceAll(/<\\/?reviewer_comment>/gi, "")',
        replace: "`${comment}${ofFacts}`",
      },
    ],
  ),
  ...mutationsOf("engine/summary.ts", ENGINE, [
    { why: "a summary names no two facts alike", find: "if (known.has(id)) context", replace: "if (false) context" },
  ]),
  ...mutationsOf("crd/agentworkload.ts", APPROVE, [
    {
      why: "a decision has a limit of corrections",
      find: ".min(1).max(MAX_CORRECTIONS)",
      replace: ".min(1)",
    },
  ]),
  ...mutationsOf("functions/approve/decide.ts", APPROVE, [
    {
      why: "the page takes no correction of what the findings do not say",
      find: "if (problem !== undefined) return { status: 422",
      replace: "if (false) return { status: 422",
    },
    {
      why: "what stands is told before what is wrong with another decision",
      find: "if (corrections && !review.decision && ",
      replace: "if (corrections && ",
    },
    {
      why: "other corrections are another decision",
      find: " &&\n        sameCorrections(decision.corrections, corrections)",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/approve/draft.ts", APPROVE, [
    {
      why: "nobody strikes and corrects one fact at once",
      find: "    if (strike && value) return",
      replace: "    if (false) return",
    },
    {
      why: "a correction that was typed has its limits",
      find: "    if (!parsed.success) return",
      replace: "    if (false) return",
    },
    {
      why: "corrections of other findings stay",
      find: "...draft.filter((one) => !isOfFinding(one, finding)), ",
      replace: "",
    },
    {
      why: "corrections of a finding are taken over once",
      find: "draft.filter((one) => !isOfFinding(one, finding))",
      replace: "draft",
    },
    {
      why: "a draft of corrections has the limits of a decision's",
      find: "limitProblem(merged) ?? correctionProblem",
      replace: "correctionProblem",
    },
    {
      why: "a correction's value has the line ends that it was typed with",
      find: 'value.replaceAll("\\r\\n", "\\n").trim()',
      replace: "value.trim()",
    },
  ]),
  ...mutationsOf("functions/approve/form.ts", APPROVE, [
    {
      why: "corrections that did not arrive decide nothing",
      find: "if (!draft) return review(400,",
      replace: "if (false) return review(400,",
    },
    {
      why: "nobody corrects what is decided",
      find: "if (!isOpen(seen.record, deps.now()))",
      replace: "if (false)",
    },
    {
      why: "a button that opens facts decides nothing, for corrections are still made",
      find: "if (edit === undefined && edited === undefined && clear === undefined)",
      replace: "if (edit === undefined)",
    },
  ]),
  ...mutationsOf("functions/approve/decide.ts", APPROVE, [
    {
      why: "a review that is decided takes no corrections",
      find: "!review.decision && ended === undefined && !isOver(review, now)",
      replace: "ended === undefined && !isOver(review, now)",
    },
  ]),
  ...mutationsOf("lib/summary.ts", APPROVE, [
    {
      why: "corrections of a summary that is invalid are answered, and break nothing",
      find: "    if (error instanceof TerminalError) return undefined;\n",
      replace: "",
    },
  ]),
  ...mutationsOf("pipelines/market-analysis/corrected.ts", APPLICATION, [
    {
      why: "another page's claim is corrected where it says the same",
      find: "!said.has(fact) && statements.get(fact) === of",
      replace: "!said.has(fact)",
    },
    {
      why: "what is said of a page's own fact comes first",
      find: "!said.has(fact) && statements",
      replace: "statements",
    },
    {
      why: "one site's corrections are no other's",
      find: "Map.groupBy(pages, ({ analysis }) => analysis.site)",
      replace: "new Map(pages.map(({ analysis }) => [analysis.site, pages]))",
    },
    {
      why: "a commented claim stands as it was found",
      find: '|| correction.action === "comment") return [entry];',
      replace: ") return [entry];",
    },
    {
      why: "only the claim that a reviewer names is corrected",
      find: "one.field === field && place === at",
      replace: "one.field === field",
    },
    {
      why: "a claim is corrected in its own field",
      find: "one.field === field && place === at",
      replace: "place === at",
    },
    {
      why: "a corrected claim says whose words it is",
      find: ", correctedBy: correction.by }",
      replace: " }",
    },
  ]),
  ...mutationsOf("pipelines/market-analysis/parse-price.ts", APPLICATION, [
    {
      why: "a price of two currencies is none",
      find: ' || (before !== "" && after !== "")',
      replace: "",
    },
    {
      why: "nobody guesses the period of a corrected price",
      find: "found && per === undefined ? { ...found, ...figure } : undefined",
      replace: '{ period: "month", ...found, ...figure }',
    },
  ]),
  ...mutationsOf("functions/report/load.ts", APPLICATION, [
    {
      why: "a report corrects each page by what is said of that page",
      find: "corrections.filter((one) => isOfFinding(one, finding))",
      replace: "corrections",
    },
    {
      why: "a report is on what was left of the findings",
      find: "const analysis = analyses[at] ?? found;",
      replace: "const analysis = found;",
    },
  ]),
  ...mutationsOf("lib/durable/carried-corrections.ts", CARRIED, [
    {
      why: "what was carried over to an open review stays so",
      find: "      if (open) return",
      replace: "      if (false) return",
    },
    {
      why: "the review of the run before is not taken for this run's, so that its corrections are carried over",
      find: "own === undefined || own === compared?.findings",
      replace: "own === undefined",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/progress.ts", CARRIED, [
    {
      why: "corrections are carried over to a review once",
      find: "carryCorrections(run, findingsOf(run, step, table), known.reviews)",
      replace: "carryCorrections(run, findingsOf(run, step, table), [])",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/decisions.ts", RECONCILE, [
    {
      why: "an AgentDecision that corrects what the findings do not say does not count",
      find: "if (one.digest !== digest || (await checkCorrections(artifacts, findings, one)) === undefined)",
      replace: "if (true)",
    },
    {
      why: "what was refused is not looked for again",
      find: "parsed && parsed.status?.reason !== INVALID_CORRECTIONS ?",
      replace: "parsed ?",
    },
  ]),
  ...mutationsOf("functions/reconcile/workload/decision-outcome.ts", RECONCILE, [
    {
      why: "an AgentDecision is told that its corrections are wrong",
      find: "problem === undefined ? undefined : {",
      replace: "true ? undefined : {",
    },
    {
      why: "a decision is not said to count that had other corrections",
      find: "return isSame && sameCorrections(review.corrections, corrections);",
      replace: "return isSame;",
    },
    {
      why: "nothing is judged without the findings",
      find: "  if (!(await getIfKept(artifacts, metadata, key))) return undefined;\n",
      replace: "",
    },
  ]),
];
