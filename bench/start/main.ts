/**
 * Process start to listening, and resident memory, of each function: bundled with Node's compile cache, as in the image, and beside it
 * bundled without the cache and unbundled in the same run.
 */
import { spawnSync } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AGENT_FUNCTIONS } from "../../compose-agents.ts";
import { startRedis } from "../../test/redis-server.ts";
import { median, report } from "../harness.ts";
import { serveAdmissionConfig } from "./admission-config.ts";
import { type Start, startFunction } from "./start-function.ts";

const FUNCTIONS = [...AGENT_FUNCTIONS, "approve", "reconcile", "admit", "artifacts", "runs", "egress"];
const RUNS = 7;
const { publicKey, privateKey } = generateKeyPairSync("ed25519", {
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

if (spawnSync("npm", ["run", "--silent", "build"], { stdio: "inherit" }).status !== 0) process.exit(1);
const redis = await startRedis();
const folder = mkdtempSync(join(tmpdir(), "agentic-start-"));
const compileCache = join(folder, "compile-cache");
const apiServer = await serveAdmissionConfig(folder);

const settings = {
  REDIS_URL: redis.url,
  STEP_TOKEN_PUBLIC_KEY: publicKey,
  REVIEW_LINK_PUBLIC_KEY: publicKey,
  STEP_TOKEN_PRIVATE_KEY: privateKey,
  REVIEW_LINK_PRIVATE_KEY: privateKey,
  BROKER_URL: "http://127.0.0.1:1",
  KUBECONFIG: apiServer.kubeconfig,
};

/** Without a cache also where this process has one. */
const start = (entry: string, name: string, cache?: string): Promise<Start> =>
  startFunction(entry, name, { ...settings, NODE_COMPILE_CACHE: cache });

type Kind = "bundled" | "uncached" | "unbundled";

const rows = [];
try {
  for (const name of FUNCTIONS) {
    // Fills the cache, as the image's build does.
    await start("dist/main.js", name, compileCache);
    const runs: Record<Kind, Start[]> = { bundled: [], uncached: [], unbundled: [] };
    // In turn, so that all meet the same noise.
    for (let i = 0; i < RUNS; i++) {
      runs.bundled.push(await start("dist/main.js", name, compileCache));
      runs.uncached.push(await start("dist/main.js", name));
      runs.unbundled.push(await start("main.ts", name));
    }
    const of = (kind: Kind, figure: keyof Start): number => median(runs[kind].map((run) => run[figure]));
    rows.push(
      { figure: `${name}: start to listening, bundled`, value: of("bundled", "ms"), unit: "ms", goal: 250 },
      { figure: `${name}: start to listening, bundled, without the cache`, value: of("uncached", "ms"), unit: "ms" },
      { figure: `${name}: start to listening, unbundled`, value: of("unbundled", "ms"), unit: "ms" },
      { figure: `${name}: resident, bundled`, value: of("bundled", "mb"), unit: "MB", goal: 90 },
      { figure: `${name}: resident, unbundled`, value: of("unbundled", "mb"), unit: "MB" },
    );
  }
} finally {
  await redis.stop();
  apiServer.close();
  rmSync(folder, { recursive: true, force: true });
}
report("start", rows);
