/**
 * The suites that attack, run once: how many attacks each family tries, and how many pass through. Tests count their attacks themselves
 * (test/attempts.ts); all that a failed test tried counts as passed through.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { report } from "../harness.ts";

const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  "decisions by link, form, JSON and CloudEvent": [
    "test/integration/hostile-decisions/links.test.ts",
    "test/integration/hostile-decisions/requests.test.ts",
  ],
  "decisions by AgentDecision, status and Argo": ["test/integration/hostile-decisions/objects.test.ts"],
  "hosts, addresses, ports and tokens at the egress proxy": [
    "test/integration/egress.test.ts",
    "test/unit/egress-address.test.ts",
    "test/unit/egress-policy.test.ts",
  ],
  "pages that speak to a model": ["test/unit/injection.test.ts"],
  "a tenant's login to Redis": ["test/integration/tenant-login.test.ts"],
  "a tenant's login to the object store": ["test/integration/store-login.test.ts"],
};

/** Of vitest's JSON reporter. */
const resultsSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(
        z.object({ status: z.string(), meta: z.object({ attacks: z.int().default(0) }), fullName: z.string() }),
      ),
    }),
  ),
});

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "agentic-attacks-"));
try {
  const output = join(folder, "results.json");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const args = [
    "run",
    ...Object.values(FAMILIES).flat(),
    "--reporter=dot",
    "--reporter=json",
    `--outputFile.json=${output}`,
  ];
  // A failed test is a figure.
  spawnSync(process.execPath, [vitest, ...args], { cwd: root, stdio: "inherit" });
  const { testResults } = resultsSchema.parse(JSON.parse(readFileSync(output, "utf8")));
  const figures = Object.entries(FAMILIES).flatMap(([family, files]) => {
    const tests = files.flatMap((file) => {
      const found = testResults.find(({ name }) => relative(root, name) === file);
      if (!found || found.assertionResults.length === 0) throw new Error(`${file} did not run`);
      return found.assertionResults;
    });
    const sum = (some: typeof tests): number => some.reduce((all, { meta }) => all + meta.attacks, 0);
    const failed = tests.filter(({ status }) => status !== "passed");
    for (const { fullName } of failed) console.error(`failed: ${fullName}`);
    return [
      { figure: `${family}: attacks tried`, value: sum(tests), unit: "attacks" },
      // One that fails before it has tried anything defends nothing either.
      { figure: `${family}: passed through`, value: Math.max(sum(failed), failed.length), unit: "attacks", goal: 0 },
    ];
  });
  report("attacks", figures);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
