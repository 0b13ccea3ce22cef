/**
 * What traces and metrics cost: a function's start and memory, a durable step, and `agentic run` over the fifty pages, with a receiver, with
 * one that fails in each way, and with none. In turn, so that all meet the same noise. ROUNDS: how often (default 3).
 */
import { execFile, spawn, spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startSampleSites } from "../../examples/serve.ts";
import { freePort } from "../../test/free-port.ts";
import { startRedis } from "../../test/redis-server.ts";
import { type Figure, median, report } from "../harness.ts";
import { type Start, startFunction } from "../start/start-function.ts";
import { type Behaviour, startReceiver } from "./receiver.ts";

const ROUNDS = Number(process.env["ROUNDS"] ?? 3);
const PAGES = 50;
const STEPS = 200;
const pathOf = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

if (spawnSync("npm", ["run", "--silent", "build"], { stdio: "inherit" }).status !== 0) process.exit(1);
const folder = mkdtempSync(join(tmpdir(), "agentic-telemetry-"));
const redis = await startRedis();
const receiver = await startReceiver();
const sites = await startSampleSites({});
const nowhere = `http://127.0.0.1:${await freePort()}`;

/** Settings of a process that sends to the endpoint, or to nobody. */
const sendingTo = (endpoint: string | undefined): NodeJS.ProcessEnv => ({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });

async function start(name: string, endpoint?: string): Promise<Start> {
  const { publicKey } = generateKeyPairSync("ed25519", {
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  return startFunction("dist/main.js", name, {
    REDIS_URL: redis.url,
    STEP_TOKEN_PUBLIC_KEY: publicKey,
    NODE_COMPILE_CACHE: join(folder, "compile-cache"),
    ...sendingTo(endpoint),
  });
}

async function steps(endpoint?: string): Promise<number> {
  const args = [pathOf("./steps.ts"), redis.url, join(folder, "artifacts"), String(STEPS)];
  const env = { ...process.env, ...sendingTo(endpoint) };
  return median(JSON.parse((await promisify(execFile)(process.execPath, args, { env })).stdout));
}

/** Seconds. */
async function run(endpoint?: string): Promise<number> {
  const out = mkdtempSync(join(tmpdir(), "agentic-bench-"));
  const resolve = sites.hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]);
  const args = [pathOf("../../cli/agentic.ts"), "run", pathOf("../../examples/market-analysis-50.yaml"), "--approve"];
  const began = performance.now();
  const child = spawn(process.execPath, [...args, "--out", out, ...resolve], {
    env: { ...process.env, ...sendingTo(endpoint) },
    stdio: "ignore",
  });
  const [code] = (await once(child, "exit")) as [number];
  if (code !== 0) throw new Error(`agentic run ended with ${code}`);
  rmSync(out, { recursive: true, force: true });
  return (performance.now() - began) / 1000;
}

const FAILING: readonly Behaviour[] = ["answers 500", "takes 10 s", "never answers"];
const NOT_THERE = "is not there";
const runs = new Map<string, number[]>();
const figures: Figure[] = [];
const keep = (what: string, seconds: number): void => void runs.set(what, [...(runs.get(what) ?? []), seconds]);
try {
  for (const name of ["scrape", "analyze"]) {
    for (const endpoint of [undefined, receiver.endpoint]) await start(name, endpoint);
    const [off, on]: [Start[], Start[]] = [[], []];
    for (let i = 0; i < 7; i++) {
      off.push(await start(name));
      on.push(await start(name, receiver.endpoint));
    }
    for (const [what, starts] of [
      ["without a receiver", off],
      ["with one", on],
    ] as const)
      figures.push(
        {
          figure: `${name}: start to listening, ${what}`,
          value: median(starts.map(({ ms }) => ms)),
          unit: "ms",
          goal: 250,
        },
        { figure: `${name}: resident, ${what}`, value: median(starts.map(({ mb }) => mb)), unit: "MB", goal: 90 },
      );
  }
  const [off, on]: [number[], number[]] = [[], []];
  for (let i = 0; i < ROUNDS; i++) {
    off.push(await steps());
    on.push(await steps(receiver.endpoint));
  }
  figures.push(
    { figure: "a durable step of five nodes, without a receiver", value: median(off), unit: "ms" },
    { figure: "a durable step of five nodes, with one", value: median(on), unit: "ms" },
    { figure: "what telemetry adds to a step", value: median(on) - median(off), unit: "ms", goal: 5 },
  );
  let taken = { spans: 0, bytes: 0 };
  for (let i = 0; i < ROUNDS; i++) {
    keep("none", await run());
    receiver.behave("takes it");
    keep("takes it", await run(receiver.endpoint));
    taken = { ...receiver.taken };
    for (const behaviour of FAILING) {
      receiver.behave(behaviour);
      keep(behaviour, await run(receiver.endpoint));
    }
    keep(NOT_THERE, await run(nowhere));
    console.log(`round ${i + 1} of ${ROUNDS}`);
  }
  const none = runs.get("none") ?? [];
  figures.push(
    { figure: `agentic run, ${PAGES} pages, without a receiver`, value: median(none), unit: "s" },
    ...["takes it", ...FAILING, NOT_THERE].map((what) => ({
      figure: `with a receiver that ${what}, over that without one, pair by pair`,
      value: median((runs.get(what) ?? []).map((seconds, i) => seconds / (none[i] ?? Number.NaN))),
      unit: "×",
      goal: 1.02,
    })),
    { figure: "spans a page", value: taken.spans / PAGES, unit: "" },
    { figure: "bytes of a run, traces and metrics", value: taken.bytes / 1000, unit: "kB" },
  );
} finally {
  await Promise.all([redis.stop(), receiver.close(), sites.close()]);
  rmSync(folder, { recursive: true, force: true });
}
report("telemetry", figures);
