import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { afterEach, beforeEach, expect, test } from "vitest";
import { readManifests } from "../../scripts/deploy/manifests.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";

// The program of the container `secrets` in config/redis.yaml, as it is there, beside a real Redis: paths are a folder's here, and seconds short.

interface Pod {
  readonly template: { readonly spec: { readonly containers: readonly { name: string; args: string[] }[] } };
}
const manifests = readManifests(new URL("../../config/redis.yaml", import.meta.url).pathname);
const pod = manifests.find(({ kind }) => kind === "Deployment")?.["spec"] as Pod;
const PROGRAM = pod.template.spec.containers.find(({ name }) => name === "secrets")?.args[0] ?? "";

let folder: string;
let server: TestRedis;
let beside: ChildProcess | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-passwords-"));
  for (const name of ["run", "passwords"]) await mkdir(join(folder, name));
  // What starts it knows of no password: this one comes after.
  server = await startRedis();
  const admin = new Redis(server.socket);
  const rules = ["on", ">a1", "~agentic:*", "+@all", "-@admin", "-@dangerous", "+info"];
  await admin.call("ACL", "SETUSER", "agents", ...rules);
  await admin.config("SET", "requirepass", "p1");
  admin.disconnect();
  await secretSays("p1", "a1");
});
afterEach(async () => {
  endBeside();
  await server.stop();
  await rm(folder, { recursive: true });
});

async function secretSays(password: string, agentsPassword: string): Promise<void> {
  const put = (name: string, value: string) => writeFile(join(folder, "passwords", name), value);
  await put("agentsPassword", agentsPassword);
  await put("password", password);
}

async function startBeside(bothHoldSeconds: number): Promise<void> {
  const program = PROGRAM.replaceAll("/run/redis/redis.sock", server.socket)
    .replaceAll("/run/redis/", `${folder}/run/`)
    .replaceAll("/passwords/", `${folder}/passwords/`);
  const env = { PATH: process.env["PATH"], LOOK_SECONDS: "0.2", BOTH_HOLD_SECONDS: String(bothHoldSeconds) };
  beside = spawn("sh", ["-c", program], { env, detached: true });
}

/** With the sleep that it waits for. */
function endBeside(): void {
  if (beside?.pid !== undefined) process.kill(-beside.pid);
  beside = undefined;
}

const until = (what: string, is: () => Promise<boolean>) =>
  expect.poll(is, { message: what, timeout: 10_000 }).toBe(true);
const untilSet = (password: string) =>
  until(`${password} to be set`, async () => (await known().catch(() => "")) === password);
const known = () => readFile(join(folder, "run/password"), "utf8");

async function takes(username: string, password: string): Promise<boolean> {
  const client = new Redis(server.socket, { username, password, lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    await client.connect();
    return (await client.exists("agentic:x")) === 0;
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
const taken = async () => [
  await takes("default", "p1"),
  await takes("agents", "a1"),
  await takes("default", "p2"),
  await takes("agents", "a2"),
];

test("a new password holds beside the old one, and alone after a time; who is connected stays", async () => {
  const connected = new Redis(server.socket, { username: "agents", password: "a1" });
  await connected.set("agentic:kept", "1");
  await startBeside(4);
  await untilSet("p1");
  expect(await taken()).toEqual([true, true, false, false]);
  await secretSays("p2", "a2");
  await untilSet("p2");
  expect(await taken()).toEqual([true, true, true, true]);
  await until("the old ones to be refused", async () => (await taken()).join() === "false,false,true,true");
  expect(await connected.get("agentic:kept")).toBe("1");
  await expect(connected.config("GET", "maxmemory")).rejects.toThrow(/NOPERM/);
  connected.disconnect();
});

test("a container that starts in between goes on with what the one before had set", async () => {
  await startBeside(1);
  await untilSet("p1");
  endBeside();
  await secretSays("p2", "a2");
  await startBeside(1);
  await until("the old ones to be refused", async () => (await taken()).join() === "false,false,true,true");
});
