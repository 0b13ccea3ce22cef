import { readFile, writeFile } from "node:fs/promises";
import { parseEnv } from "node:util";

/** Settings that an agent in a process of its own needs to work on this run (lib/config.ts). */
export interface AgentEnv {
  readonly REDIS_URL: string;
  /** PEM, several lines: of a rediss:// whose authority is no public one. */
  readonly REDIS_CA?: string;
  readonly ARTIFACTS_URL: string;
  /** PEM, several lines. */
  readonly STEP_TOKEN_PUBLIC_KEY: string;
  readonly HOST_ACCESS_KEY: string;
  readonly EGRESS_PROXY_URL: string;
  readonly BROWSER_URL: string;
}

/** Writes them for `set -a; . FILE` and for `node --env-file=FILE`: both take lines in single quotes. */
export async function writeAgentEnv(path: string, env: AgentEnv): Promise<void> {
  const lines = Object.entries(env).map(([name, value]) => {
    if (value.includes("'"))
      throw new Error(`${name} contains a single quote (${value}): choose a folder without one by --out`);
    return `${name}='${value.trim()}'\n`;
  });
  // The URL of a Redis may contain its password.
  await writeFile(path, lines.join(""), { mode: 0o600 });
}

/** Ports that an earlier command gave to agents, which may still run: 0 where there was none. */
export async function earlierPorts(path: string): Promise<{ egressProxy: number; browser: number }> {
  const env = parseEnv(await readFile(path, "utf8").catch(() => ""));
  const portOf = (url: string | undefined): number => Number(URL.parse(url ?? "")?.port || 0);
  return { egressProxy: portOf(env["EGRESS_PROXY_URL"]), browser: portOf(env["BROWSER_URL"]) };
}
