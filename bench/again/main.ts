/**
 * A run of the fifty sites, and another one that is compared with it while nothing has changed: dollars, calls to a model, time. The provider
 * is on loopback and answers with what was extracted; the price is that of the price table.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSampleSites } from "../../examples/serve.ts";
import { honest } from "../../test/e2e/honest-model.ts";
import { startFakeOpenAi } from "../../test/fakes/openai.ts";
import { report } from "../harness.ts";

const SITES = 50;
const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const workload = readFileSync(pathOf("../../examples/market-analysis-50.yaml"), "utf8");

interface Ran {
  readonly seconds: number;
  readonly costUsd: number;
  readonly calls: number;
  readonly material: number | undefined;
}

const folder = mkdtempSync(join(tmpdir(), "agentic-again-"));
const sites = await startSampleSites();
const provider = await startFakeOpenAi();
// Tokens of a usual page and its answer (bench/results/cost.json).
provider.answer((request) => ({ ...honest(request), usage: { input: 3000, output: 400 } }));

async function run(name: string, ...more: string[]): Promise<Ran> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, workload.replace(/^ {2}name: .*$/m, `  name: ${name}`));
  const resolve = sites.hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]);
  const out = join(folder, name);
  const args = [pathOf("../../cli/agentic.ts"), "run", file, "--approve", "--out", out, ...resolve, ...more];
  const { OPENAI_API_KEY: _key, ...env } = process.env;
  const before = provider.requests.length;
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: "ignore", env: { ...env, LLM_BASE_URL: provider.baseUrl } });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`the run ${name} ended with ${code}`);
  const seconds = (performance.now() - began) / 1000;
  const read = (path: string) => JSON.parse(readFileSync(join(out, path), "utf8"));
  const changes = read("report.json").changes as { list: { material: boolean }[] } | null;
  return {
    seconds,
    costUsd: read("run.json").usage.costUsd,
    calls: provider.requests.length - before,
    material: changes?.list.filter(({ material }) => material).length,
  };
}

try {
  const first = await run("first");
  const second = await run("second", "--compare-with", join(folder, "first"));
  report("again", [
    { figure: "first run of fifty sites: dollars", value: first.costUsd, unit: "$" },
    { figure: "first run: dollars a site", value: first.costUsd / SITES, unit: "$", goal: 0.001 },
    { figure: "first run: calls to a model", value: first.calls, unit: "calls" },
    { figure: "first run: time", value: first.seconds, unit: "s" },
    { figure: "second run, nothing changed: dollars", value: second.costUsd, unit: "$", goal: 0 },
    { figure: "second run: calls to a model", value: second.calls, unit: "calls", goal: 0 },
    { figure: "second run: time", value: second.seconds, unit: "s" },
    { figure: "second run: time, over the first", value: second.seconds / first.seconds, unit: "×" },
    { figure: "second run: material changes told", value: second.material ?? Number.NaN, unit: "changes", goal: 0 },
  ]);
} finally {
  await provider.close();
  await sites.close();
  rmSync(folder, { recursive: true, force: true });
}
