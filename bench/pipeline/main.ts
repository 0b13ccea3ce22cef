/** `agentic run` over the fifty pages, whole, against a bare Playwright loop over the same pages with the same concurrency. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { startSampleSites } from "../../examples/serve.ts";
import { median, report } from "../harness.ts";
import { treeMemoryMb } from "./process-tree.ts";

const RUNS = 3;
const FILE = fileURLToPath(new URL("../../examples/market-analysis-50.yaml", import.meta.url));
const CLI = fileURLToPath(new URL("../../cli/agentic.ts", import.meta.url));
const LOOP = fileURLToPath(new URL("./bare-loop.ts", import.meta.url));

const { spec } = parse(readFileSync(FILE, "utf8")) as { spec: { inputs: { sites: string[] }; replicas?: number } };
const sites = await startSampleSites({});

async function time(args: readonly string[]): Promise<{ seconds: number; mb: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said += data.toString();
  });
  let mb = 0;
  const sampler = setInterval(() => {
    mb = Math.max(mb, treeMemoryMb(child.pid ?? 0));
  }, 500);
  const [code] = (await once(child, "exit")) as [number];
  clearInterval(sampler);
  if (code !== 0) throw new Error(`${args.join(" ")} ended with ${code}:\n${said}`);
  return { seconds: (performance.now() - began) / 1000, mb };
}

/** What the browser loaded of each site, as the captures say it. */
function trafficOf(out: string): { requests: number; bytes: number }[] {
  const { competitors } = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as {
    competitors: { pages: { capture: { egress: { requests: number; bytes: number } } }[] }[];
  };
  return competitors.map(({ pages }) => ({
    requests: pages.reduce((sum, { capture }) => sum + capture.egress.requests, 0),
    bytes: pages.reduce((sum, { capture }) => sum + capture.egress.bytes, 0),
  }));
}

let traffic: ReturnType<typeof trafficOf> = [];
const runs: { ours: { seconds: number; mb: number }; bare: { seconds: number; mb: number } }[] = [];
try {
  for (let i = 0; i < RUNS; i++) {
    const out = mkdtempSync(join(tmpdir(), "agentic-bench-"));
    const resolve = sites.hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]);
    const bare = await time([LOOP, String(sites.port), String(spec.replicas ?? 10), ...spec.inputs.sites]);
    const ours = await time([CLI, "run", FILE, "--approve", "--out", out, ...resolve]);
    runs.push({ ours, bare });
    traffic = trafficOf(out);
    rmSync(out, { recursive: true, force: true });
  }
} finally {
  await sites.close();
}

report("pipeline", [
  { figure: "agentic run, 50 pages, to the report", value: median(runs.map((r) => r.ours.seconds)), unit: "s" },
  { figure: "bare Playwright loop, 50 pages", value: median(runs.map((r) => r.bare.seconds)), unit: "s" },
  {
    figure: "ratio, pair by pair",
    value: median(runs.map((r) => r.ours.seconds / r.bare.seconds)),
    unit: "×",
    goal: 1.15,
  },
  {
    figure: "agentic run: sites a minute",
    value: (60 * spec.inputs.sites.length) / median(runs.map((r) => r.ours.seconds)),
    unit: "sites",
  },
  { figure: "requests a site: median", value: median(traffic.map(({ requests }) => requests)), unit: "requests" },
  { figure: "bytes a site: median", value: median(traffic.map(({ bytes }) => bytes)), unit: "bytes" },
  { figure: "agentic run: peak memory, all processes", value: median(runs.map((r) => r.ours.mb)), unit: "MB" },
  { figure: "bare loop: peak memory, all processes", value: median(runs.map((r) => r.bare.mb)), unit: "MB" },
]);
