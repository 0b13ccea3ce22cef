import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { modelEndpoint } from "../../lib/config.ts";
import { CHROMIUM_NAMES, sandboxIsOff } from "../../lib/edges/chromium.ts";
import { EXIT } from "../exit-code.ts";

interface Finding {
  readonly what: string;
  readonly ok: boolean;
  /** What was found. */
  readonly found: string;
  /** How to install it, where it is missing. */
  readonly remedy?: string;
}

const MIN_NODE = 24;

/** `agentic doctor`: looks for everything that a local run needs. The exit code is 1 only when something necessary is missing. */
export async function doctor(options: { readonly output: "text" | "json" }): Promise<number> {
  const findings = [nodeVersion(), await redisServer(), await chromium(), model()];
  const ok = findings.every((finding) => finding.ok);
  if (options.output === "json") process.stdout.write(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else for (const finding of findings) process.stdout.write(describe(finding));
  return ok ? EXIT.succeeded : EXIT.failed;
}

function describe({ what, ok, found, remedy }: Finding): string {
  return `${ok ? "ok     " : "missing"} ${what.padEnd(12)} ${found}${remedy ? `\n                     ${remedy}` : ""}\n`;
}

function nodeVersion(): Finding {
  const ok = Number(process.versions.node.split(".")[0]) >= MIN_NODE;
  return {
    what: "Node.js",
    ok,
    found: process.version,
    ...(ok
      ? {}
      : { remedy: `${MIN_NODE} or later is needed: run it as 'npx agentic' in a checkout after 'make setup'` }),
  };
}

async function redisServer(): Promise<Finding> {
  const version = await versionOf("redis-server", ["--version"]);
  const number = /v=(\d+)\.(\d+)/.exec(version ?? "");
  const recent = number !== null && (Number(number[1]) > 6 || (Number(number[1]) === 6 && Number(number[2]) >= 2));
  return {
    what: "Redis",
    ok: recent,
    found: version ?? "no redis-server on the PATH",
    ...(recent
      ? {}
      : { remedy: "6.2 or later is needed: 'make setup', or 'apt-get install redis-server', or pass --redis URL" }),
  };
}

async function chromium(): Promise<Finding> {
  const names = process.env["CHROME"] ? [process.env["CHROME"]] : CHROMIUM_NAMES;
  for (const name of names) {
    const found = await versionOf(name, ["--version"]);
    const sandbox = sandboxIsOff() ? ", without its own sandbox, which it refuses to root" : "";
    if (found !== undefined) return { what: "Chromium", ok: true, found: `${found}${sandbox}` };
  }
  return {
    what: "Chromium",
    ok: false,
    found: `none of ${names.join(", ")}`,
    remedy: "'make setup', or 'apt-get install chromium', or set CHROME to its path",
  };
}

/** Optional: some agents work without a model. */
function model(): Finding {
  const endpoint = modelEndpoint(process.env);
  return {
    what: "Model",
    ok: true,
    found: endpoint
      ? `through ${endpoint.baseUrl}`
      : "none: agents that can work without one do; set OPENAI_API_KEY or LLM_BASE_URL to use one",
  };
}

async function versionOf(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(command, args)).stdout.trim().split("\n")[0];
  } catch {
    return undefined;
  }
}
