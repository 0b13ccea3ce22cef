/** `make test`: the checks, then the tests. Ends with `N passed, N failed`; a check counts as one test. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const CHECKS = ["check:types", "check:lint", "check:generated", "check:unused", "build"];

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit" }).status === 0;
}

let passed = 0;
let failed = 0;
for (const check of CHECKS) {
  process.stdout.write(`\n== ${check}\n`);
  if (run("npm", ["run", "--silent", check])) passed++;
  else failed++;
}

process.stdout.write("\n== tests\n");
const folder = mkdtempSync(join(tmpdir(), "agentic-test-"));
const results = join(folder, "results.json");
const ran = run("vitest", ["run", "--reporter=default", "--reporter=json", `--outputFile=${results}`]);
try {
  const counts = JSON.parse(readFileSync(results, "utf8")) as Record<string, number>;
  passed += counts["numPassedTests"] ?? 0;
  // A skipped test is a failure that nobody saw.
  failed += (counts["numTotalTests"] ?? 0) - (counts["numPassedTests"] ?? 0);
  // A file that does not load fails without a test of its own.
  if (!ran && failed === 0) failed++;
} catch {
  process.stdout.write("the test runner left no results\n");
  failed++;
}
rmSync(folder, { recursive: true, force: true });

process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);
