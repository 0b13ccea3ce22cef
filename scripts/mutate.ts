/** `npm run mutate`: takes one guard after another out of a copy of the tree, and expects a test to fail. `--help` says how. */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { MUTATIONS } from "../test/mutations/all.ts";
import type { Mutation } from "../test/mutations/mutation.ts";
import { copyTree } from "./mutate/copy.ts";
import { createTestRunner, type TestRunner } from "./mutate/run-tests.ts";

const USAGE = `usage: npm run mutate -- [--only PATTERN] [--fast]

Takes the guards of test/mutations/ out of a copy of the tree, one at a time, and runs the tests that hold each.
  killed      a test failed, as it must
  SURVIVED    none did: write the test, or say in the list why none can fail (equivalent)
  equivalent  none did, and the list says why
  BROKEN      the guard's text does not occur once, or a test file does not load: mend the list

  --only PATTERN  those whose file or reason matches this regular expression
  --fast          those that unit tests alone hold

A run of all of them writes bench/results/mutations.json. Ends with 1 when one survived or is broken.`;

const root = fileURLToPath(new URL("..", import.meta.url));

interface Row {
  readonly result: "killed" | "SURVIVED" | "equivalent" | "BROKEN";
  readonly file: string;
  readonly why: string;
  /** The test that failed, the reason why none can, or what is broken. */
  readonly by: string;
}

const { values } = parseArgs({
  options: { only: { type: "string" }, fast: { type: "boolean" }, help: { type: "boolean" } },
});
if (values.help) console.log(USAGE);
else process.exitCode = await mutateAll(chosen(values));

function chosen({ only, fast }: { readonly only?: string; readonly fast?: boolean }): readonly Mutation[] {
  const pattern = new RegExp(only ?? "", "i");
  const isFast = ({ tests }: Mutation): boolean => tests.every((test) => test.startsWith("test/unit/"));
  return MUTATIONS.filter((one) => (pattern.test(one.file) || pattern.test(one.why)) && (!fast || isFast(one)));
}

/** @returns the exit code */
async function mutateAll(mutations: readonly Mutation[]): Promise<number> {
  const copy = copyTree(root);
  const tests = createTestRunner(copy);
  const quit = (): void => {
    void tests.stop().then(() => {
      copy.remove();
      process.exit(130);
    });
  };
  process.once("SIGINT", quit).once("SIGTERM", quit);
  try {
    const files = [...new Set(mutations.flatMap((one) => one.tests))];
    console.log(`${mutations.length} mutations; first ${files.length} test files as they are`);
    const before = await tests.run(files);
    if (before.ended !== "passed") {
      console.error(`without any mutation: ${before.ended === "failed" ? before.by : before.why}`);
      return 1;
    }
    const rows: Row[] = [];
    for (const mutation of mutations) {
      const row = await judge(mutation, copy.mutate, tests);
      rows.push(row);
      console.log(`${row.result.padEnd(10)}  ${row.file.padEnd(40)}  ${row.why}${row.by ? `  [${row.by}]` : ""}`);
    }
    return report(rows);
  } finally {
    copy.remove();
  }
}

async function judge(mutation: Mutation, mutate: (mutation: Mutation) => () => void, tests: TestRunner): Promise<Row> {
  const { file, why, equivalent } = mutation;
  let restore: () => void;
  try {
    restore = mutate(mutation);
  } catch (error) {
    return { result: "BROKEN", file, why, by: error instanceof Error ? error.message : String(error) };
  }
  try {
    const tested = await tests.run(mutation.tests);
    if (tested.ended === "failed") return { result: "killed", file, why, by: tested.by };
    if (tested.ended === "broken") return { result: "BROKEN", file, why, by: tested.why };
    if (equivalent !== undefined) return { result: "equivalent", file, why, by: equivalent };
    return { result: "SURVIVED", file, why, by: "" };
  } finally {
    restore();
  }
}

function report(rows: readonly Row[]): number {
  const count = (result: Row["result"]): number => rows.filter((row) => row.result === result).length;
  const [killed, equivalent] = [count("killed"), count("equivalent")];
  const [survived, broken] = [count("SURVIVED"), count("BROKEN")];
  const wrong = rows.filter(({ result }) => result === "SURVIVED" || result === "BROKEN");
  if (wrong.length > 0) console.table(wrong);
  console.log(
    `${killed} of ${rows.length - equivalent} killed, ${survived} survived, ${broken} broken, ${equivalent} equivalent`,
  );
  if (rows.length === MUTATIONS.length) {
    const result = { date: new Date().toISOString(), killed, survived, broken, equivalent, mutations: rows };
    writeFileSync(`${root}bench/results/mutations.json`, `${JSON.stringify(result, null, 2)}\n`);
  }
  return wrong.length === 0 ? 0 : 1;
}
