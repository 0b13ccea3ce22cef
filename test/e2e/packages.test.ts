import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import { packCli } from "../../scripts/cli-package.ts";
import { packPlugin } from "../../scripts/release/plugin.ts";

const ROOT = join(import.meta.dirname, "../..");
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-packages-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: folder, encoding: "utf8" });

test("the package of the commands works beside its dependencies alone", async () => {
  run("tar", "-xzf", await packCli(folder));
  // As npm puts them into a package that is installed globally.
  await symlink(join(ROOT, "node_modules"), join(folder, "package/node_modules"));
  expect(run("node", "package/agentic.js", "--version").trim()).toBe(packageJson.version);
  expect(run("node", "package/kubectl-agentic.js", "--version").trim()).toBe(packageJson.version);
  expect(run("node", "package/agentic.js", "pipelines")).toMatch(/^market-analysis /);
  run("node", "package/agentic.js", "init", "market-analysis", "--name", "mine");
  expect(run("node", "package/agentic.js", "explain", "market-analysis")).toContain("scrape");
});

test("the plugin's archive works without any dependency", async () => {
  const archive = join(folder, "plugin.tar.gz");
  await packPlugin(ROOT, archive);
  const own = await mkdtemp(join(tmpdir(), "agentic-plugin-"));
  try {
    run("tar", "-C", own, "-xzf", archive);
    expect(run(join(own, "kubectl-agentic"), "--version").trim()).toBe(packageJson.version);
    expect(run(join(own, "kubectl-agentic"), "--help")).toContain("approve");
  } finally {
    await rm(own, { recursive: true, force: true });
  }
});
