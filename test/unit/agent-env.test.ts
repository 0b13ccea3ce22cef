import { execFile } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv, promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { earlierPorts, writeAgentEnv } from "../../cli/local/agent-env.ts";

const ENV = {
  REDIS_URL: "redis://:pass$word`x@127.0.0.1:6379",
  ARTIFACTS_URL: "file:///tmp/a%20b/artifacts",
  STEP_TOKEN_PUBLIC_KEY: generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString(),
  EGRESS_PROXY_URL: "http://127.0.0.1:41234",
  BROWSER_URL: "http://127.0.0.1:41235",
  HOST_ACCESS_KEY: "0f".repeat(32),
};
const EXPECTED = { ...ENV, STEP_TOKEN_PUBLIC_KEY: ENV.STEP_TOKEN_PUBLIC_KEY.trim() };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-env-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("a shell and node --env-file read what was written, and nobody else can", async () => {
  const file = join(folder, "agent.env");
  await writeAgentEnv(file, ENV);
  expect(parseEnv(await readFile(file, "utf8"))).toEqual(EXPECTED);
  const script = `set -a; . "$1"; exec "$2" -p 'JSON.stringify(process.env)'`;
  const { stdout } = await promisify(execFile)("sh", ["-c", script, "sh", file, process.execPath], { env: {} });
  expect(JSON.parse(stdout)).toMatchObject(EXPECTED);
  expect((await stat(file)).mode & 0o077).toBe(0);
});

test("a value that would end its quotes is refused", async () => {
  const env = { ...ENV, ARTIFACTS_URL: "file:///tmp/it's" };
  await expect(writeAgentEnv(join(folder, "quote.env"), env)).rejects.toThrow(/ARTIFACTS_URL contains a single quote/);
});

test("the ports of the command before are found again; without one, none", async () => {
  const file = join(folder, "ports.env");
  await writeAgentEnv(file, ENV);
  expect(await earlierPorts(file)).toEqual({ egressProxy: 41_234, browser: 41_235 });
  expect(await earlierPorts(join(folder, "nowhere.env"))).toEqual({ egressProxy: 0, browser: 0 });
});
