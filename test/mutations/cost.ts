import { type Mutation, mutationsOf } from "./mutation.ts";

const unit = (...names: string[]): string[] => names.map((name) => `test/unit/${name}.test.ts`);

/** What the command line says of money: nothing is hidden, and nothing is started or reused that would not be. */
export const COST_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("cli/cost.ts", unit("cost", "kubectl/cost"), [
    {
      why: "money that no row explains is said",
      find: "...(Math.abs(left) < HALF_MICRO ? {} : { notAttributedUsd: nano(left) }),",
      replace: "",
    },
    {
      why: "text of others does not steer the terminal",
      find: 'printable(String(row[column] ?? ""))',
      replace: 'String(row[column] ?? "")',
      tests: unit("cost"),
    },
    {
      why: "two items whose text is the same are two",
      find: 'by === "item" ? rows : inOrder(summed(rows))',
      replace: "inOrder(summed(rows))",
    },
  ]),
  ...mutationsOf("cli/kubectl/cost.ts", unit("kubectl/cost"), [
    { why: "items are of one workload", find: 'if (name === undefined && by === "item")', replace: "if (false)" },
    {
      why: "results whose bytes are gone are said",
      find: '      else problems.add("bytes of results are gone from the object store");\n',
      replace: "",
    },
    {
      why: "a store that is away is said",
      find: "      problems.add((error as Error).message);\n",
      replace: "",
    },
  ]),
  ...mutationsOf("lib/model/worst-case.ts", unit("quote"), [
    {
      why: "a list that is not known fits beside the inputs",
      find: "Math.min(most, left)",
      replace: "most",
    },
  ]),
  ...mutationsOf("cli/quote.ts", unit("quote"), [
    {
      why: "a run that has failed by what is recorded starts nothing",
      find: "terms.isOver === true || walk(run, outcomes).end !== undefined",
      replace: "terms.isOver === true",
    },
    {
      why: "a budget that is below one call is said",
      find: "budgetIsBelowOneCall: left < callUsd",
      replace: "budgetIsBelowOneCall: false",
    },
    {
      why: "a list that is not known counts as the longest",
      find: "known ?? timesOf(run, step, outcomes);",
      replace: "known ?? 0;",
    },
  ]),
  ...mutationsOf("cli/local/recorded-run.ts", unit("recorded-run"), [
    {
      why: "a decision on other findings decides nothing",
      find: "last?.run === run.base && last.digest === digest",
      replace: "last?.run === run.base",
    },
    {
      why: "a decision of another run decides nothing",
      find: "last?.run === run.base && last.digest === digest",
      replace: "last?.digest === digest",
    },
  ]),
  ...mutationsOf("cli/kubectl/quote.ts", unit("kubectl/quote"), [
    {
      why: "a workload that admission would refuse has no quote",
      find: 'if (problems.length > 0 || "problem" in frozen)',
      replace: 'if ("problem" in frozen)',
    },
    {
      why: "what a workload has cost counts towards its budget",
      find: "Number(existing?.status?.usage?.costUsd ?? 0)",
      replace: "0",
    },
  ]),
];
