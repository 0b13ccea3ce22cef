import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { sandboxIsOff } from "../../lib/edges/chromium.ts";
import { chromiumFlags } from "../../lib/edges/chromium-flags.ts";
import { cache } from "../../test/cluster/paths.ts";
import { freePort } from "../../test/free-port.ts";
import { treeOf } from "../pipeline/process-tree.ts";

/** As the image of the test cluster's pool has it: the version, what is taken out of it, and the Chromium that it starts. */
const IMAGE = fileURLToPath(new URL("../../test/cluster/images/browser/", import.meta.url));
const OTHER_ROUTES = ["chrome", "edge", "firefox", "webkit"];

export interface Browserless {
  /** For one connection, which gets a browser of its own. */
  readonly endpoint: string;
  stop(): Promise<void>;
}

/** Browserless on a free port of this machine, with the settings of config/browserless.yaml that matter for its memory. */
export async function startBrowserless(): Promise<Browserless> {
  const folder = install();
  const home = await mkdtemp(join(tmpdir(), "agentic-browserless-"));
  const port = await freePort();
  const child = spawn(process.execPath, ["node_modules/@browserless.io/browserless/build/index.js"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      HOME: home,
      TMPDIR: home,
      HOST: "127.0.0.1",
      PORT: String(port),
      TOKEN: "bench",
      CONCURRENT: "5",
      QUEUED: "500",
      TIMEOUT: "3600000",
      PLAYWRIGHT_BROWSERS_PATH: join(folder, "browsers"),
    },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (data: Buffer) => {
    said = (said + data.toString()).slice(-4000);
  });
  const stop = async (): Promise<void> => {
    // A browser outlives whoever started it.
    const all = child.pid !== undefined && child.exitCode === null ? treeOf(child.pid) : [];
    for (const pid of all) kill(pid);
    if (all.length > 0 && child.signalCode === null) await once(child, "exit");
    await rm(home, { recursive: true, force: true });
  };
  for (let waited = 0; waited < 60_000 && child.exitCode === null; waited += 50) {
    const answered = await fetch(`http://127.0.0.1:${port}/json/version?token=bench`).catch(() => undefined);
    if (answered?.ok) return { endpoint: endpointAt(port), stop };
    await sleep(50);
  }
  await stop();
  throw new Error(`Browserless did not start:\n${said}`);
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended with its parent.
  }
}

/** As lib/edges/browser-pool.ts asks for it, but for root, to whom Chrome refuses its sandbox: a local Chromium has none then, either. */
function endpointAt(port: number): string {
  const launch = {
    args: chromiumFlags(["127.0.0.1"]),
    ignoreDefaultArgs: sandboxIsOff() ? [] : ["--no-sandbox"],
    defaultViewport: null,
  };
  return `ws://127.0.0.1:${port}/chromium?token=bench&launch=${encodeURIComponent(JSON.stringify(launch))}`;
}

/** From npm into the cache, once for each change of its lock file. @returns where it is */
function install(): string {
  const lock = readFileSync(join(IMAGE, "package-lock.json"));
  const folder = join(cache, `browserless-${createHash("sha256").update(lock).digest("hex").slice(0, 12)}`);
  if (existsSync(folder)) return folder;
  const partial = `${folder}.${process.pid}`;
  mkdirSync(partial, { recursive: true });
  for (const file of ["package.json", "package-lock.json"]) cpSync(join(IMAGE, file), join(partial, file));
  console.log("installing Browserless from npm: about two minutes");
  const npm = ["install", "--no-save", "--ignore-scripts", "--omit=dev", "--no-fund", "--no-audit", "--loglevel=error"];
  const env = { ...process.env, PUPPETEER_SKIP_DOWNLOAD: "1" };
  execFileSync("npm", npm, { cwd: partial, env, stdio: "inherit" });
  const routes = join(partial, "node_modules/@browserless.io/browserless/build/routes");
  for (const route of OTHER_ROUTES) rmSync(join(routes, route), { recursive: true, force: true });
  // Where this version of playwright-core looks for it.
  const where = execFileSync(process.execPath, ["-p", 'require("playwright-core").chromium.executablePath()'], {
    cwd: partial,
    env: { ...env, PLAYWRIGHT_BROWSERS_PATH: join(partial, "browsers") },
    encoding: "utf8",
  }).trim();
  mkdirSync(dirname(where), { recursive: true });
  cpSync(join(IMAGE, "chromium.sh"), join(partial, "chromium.sh"));
  symlinkSync(join(folder, "chromium.sh"), where);
  renameSync(partial, folder);
  return folder;
}
