/**
 * `make test`: the checks, then the tests, then those on a real cluster: one that is brought up here, or with KUBECONFIG that one,
 * where images go by way of REGISTRY. Ends with `N passed, N failed`; a check counts as one.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { NO_REGISTRY } from "./deploy/registry.ts";

const CHECKS = [
  "check:types",
  "check:lint",
  "check:generated",
  "check:structure",
  "check:licences",
  "check:unused",
  "build",
];
/** vitest projects: what runs on this machine, and what needs a cluster with the product on it. */
const LOCAL = ["unit", "integration", "e2e", "func"];
const ON_CLUSTER = ["contract", "kubernetes", "alone"];
const { KUBECONFIG, REGISTRY } = process.env;

let passed = 0;
/** What failed, and how: the end of a long log says it all again. */
const failures: string[] = [];
const CAUSE_LINES = 4;

/** What vitest's JSON reporter writes, as far as it is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}

/** A step that is right or wrong as a whole. */
function check(name: string, command: string, args: readonly string[]): boolean {
  process.stdout.write(`\n== ${name}\n`);
  const ok = run(command, args);
  if (ok) passed++;
  else failures.push(name);
  return ok;
}

function vitest(projects: readonly string[]): void {
  process.stdout.write(`\n== tests: ${projects.join(", ")}\n`);
  const folder = mkdtempSync(join(tmpdir(), "agentic-test-"));
  const results = join(folder, "results.json");
  const chosen = projects.flatMap((name) => ["--project", name]);
  const ran = run("vitest", ["run", ...chosen, "--reporter=default", "--reporter=json", `--outputFile=${results}`]);
  try {
    const report = JSON.parse(readFileSync(results, "utf8")) as Report;
    const tests = report.testResults.flatMap(({ name, assertionResults }) =>
      assertionResults.map((result) => ({ ...result, file: relative(".", name) })),
    );
    // A skipped test is a failure that nobody saw.
    const bad = tests.filter(({ status }) => status !== "passed");
    passed += tests.length - bad.length;
    failures.push(...bad.map((test) => `${test.file}: ${test.fullName} (${test.status})${causes(test)}`));
    // A file that does not load fails without a test of its own.
    if (!ran && bad.length === 0)
      failures.push(`${projects.join(", ")}: a file did not load, or an error came outside of a test`);
  } catch {
    failures.push(`${projects.join(", ")}: the test runner left no results`);
  }
  rmSync(folder, { recursive: true, force: true });
}

function causes({ failureMessages }: { readonly failureMessages: readonly string[] }): string {
  const lines = failureMessages.flatMap((message) => message.split("\n").slice(0, CAUSE_LINES));
  return lines.map((line) => `\n        ${line}`).join("");
}

function onCluster(): void {
  if (KUBECONFIG) {
    if (check("deploy", "make", ["--no-print-directory", "deploy-for-tests"])) vitest(ON_CLUSTER);
    return;
  }
  // One that is up already stays up.
  const wasUp = spawnSync("node", ["test/cluster/main.ts", "status"], { stdio: "ignore" }).status === 0;
  const up = check("cluster", "node", ["test/cluster/main.ts", "up"]);
  // First on a cluster without the product, which it leaves as it was.
  if (up) vitest(["chart"]);
  if (up && check("deploy", "node", ["scripts/deploy.ts"])) vitest(ON_CLUSTER);
  if (!wasUp) check("cluster-down", "node", ["test/cluster/main.ts", "down"]);
}

// Said now rather than after twenty minutes of other tests.
if (KUBECONFIG && !REGISTRY) {
  console.error(`test: ${NO_REGISTRY}`);
  process.exit(1);
}
for (const name of CHECKS) check(name, "npm", ["run", "--silent", name]);
vitest(LOCAL);
onCluster();

process.stdout.write(failures.map((what) => `\nFAILED  ${what}`).join(""));
process.stdout.write(`\n${passed} passed, ${failures.length} failed\n`);
process.exit(failures.length === 0 ? 0 : 1);
