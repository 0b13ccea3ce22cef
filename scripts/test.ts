/**
 * `make test`: the checks, then the tests, then those on a real cluster: one that is brought up here, or with KUBECONFIG that one,
 * where images go by way of REGISTRY. Ends with `N passed, N failed`; a check counts as one.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { NO_REGISTRY } from "./deploy/registry.ts";

const CHECKS = ["check:types", "check:lint", "check:generated", "check:structure", "check:unused", "build"];
/** vitest projects: what runs on this machine, and what needs a cluster with the product on it. */
const LOCAL = ["unit", "integration", "e2e", "func"];
const ON_CLUSTER = ["contract", "kubernetes", "alone"];
const { KUBECONFIG, REGISTRY } = process.env;

let passed = 0;
let failed = 0;

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}

/** A step that is right or wrong as a whole. */
function check(name: string, command: string, args: readonly string[]): boolean {
  process.stdout.write(`\n== ${name}\n`);
  const ok = run(command, args);
  if (ok) passed++;
  else failed++;
  return ok;
}

function vitest(projects: readonly string[]): void {
  process.stdout.write(`\n== tests: ${projects.join(", ")}\n`);
  const folder = mkdtempSync(join(tmpdir(), "agentic-test-"));
  const results = join(folder, "results.json");
  const chosen = projects.flatMap((name) => ["--project", name]);
  const ran = run("vitest", ["run", ...chosen, "--reporter=default", "--reporter=json", `--outputFile=${results}`]);
  try {
    const counts = JSON.parse(readFileSync(results, "utf8")) as Record<string, number>;
    const { numTotalTests = 0, numPassedTests = 0 } = counts;
    passed += numPassedTests;
    // A skipped test is a failure that nobody saw.
    failed += numTotalTests - numPassedTests;
    // A file that does not load fails without a test of its own.
    if (!ran && numTotalTests === numPassedTests) failed++;
  } catch {
    process.stdout.write("the test runner left no results\n");
    failed++;
  }
  rmSync(folder, { recursive: true, force: true });
}

function onCluster(): void {
  if (KUBECONFIG) {
    if (check("deploy", "make", ["--no-print-directory", "deploy-for-tests"])) vitest(ON_CLUSTER);
    return;
  }
  // One that is up already stays up.
  const wasUp = spawnSync("node", ["test/cluster/main.ts", "status"], { stdio: "ignore" }).status === 0;
  const up = check("cluster", "node", ["test/cluster/main.ts", "up"]);
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

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
