import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { BUILD_MS } from "../cluster/built.ts";
import { freePort } from "../free-port.ts";
import { startRedis, type TestRedis } from "../redis-server.ts";
import { output, ROOT, run } from "./command.ts";
import { type Func, findFunc } from "./func.ts";
import { makeSigningKeys, type SigningKeys } from "./keys.ts";
import { type Served, serveScript } from "./served.ts";

const home = await mkdtemp(join(tmpdir(), "agentic-template-"));
/** The new function's folder, and its name. */
const folder = join(home, "my-agent");

let redis: TestRedis;
let keys: SigningKeys;
let served: Served | undefined;
beforeAll(async () => {
  redis = await startRedis();
  keys = await makeSigningKeys(home);
});
afterAll(async () => {
  await served?.end();
  await redis?.stop();
  await rm(home, { recursive: true, force: true });
});
let func: Func;
beforeAll(async () => {
  func = await findFunc(home);
}, BUILD_MS);

describe.sequential("an agent of one's own", () => {
  test("func create makes it from this checkout", async () => {
    const from = ["--repository", `file://${ROOT}`, "--language", "typescript", "--template", "agent"];
    const { code, stderr } = await func(home, "create", ...from, "my-agent");
    expect([code, stderr]).toEqual([0, expect.stringContaining(`Created typescript function in ${folder}`)]);
    const yaml = await readFile(join(folder, "func.yaml"), "utf8");
    expect(yaml).toContain("name: my-agent");
    expect(yaml).toContain("invoke: cloudevent");
    expect(yaml).toContain("liveness: /health/liveness");
    expect(yaml).toContain("{{ secret:agentic-agent }}");
  });

  test("its package.json names the package that this checkout makes", async () => {
    await mkdir(join(folder, "vendor"));
    const made = await output("npm", ["run", "--silent", "agent-package", "--", join(folder, "vendor")], { cwd: ROOT });
    const { dependencies } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    expect(join(folder, dependencies["agentic-kubernetes"].slice("file:".length))).toBe(made.trim());
  });

  test("it installs, builds and passes its own tests", async () => {
    await output("npm", ["install", "--no-fund", "--no-audit", "--loglevel=error"], { cwd: folder });
    expect(await output("npm", ["test"], { cwd: folder })).toMatch(/pass 2\n[\s\S]*fail 0\n/);
  });

  test("it listens, says that it is ready, does its step by func invoke, and answers the same again", async () => {
    served = await serveScript(join(folder, "build/src/index.js"), {
      REDIS_URL: redis.url,
      ARTIFACTS_URL: `file://${join(home, "artifacts")}`,
      STEP_TOKEN_PUBLIC_KEY: keys.publicPem,
    });
    for (const probe of ["liveness", "readiness"])
      expect((await fetch(`${served.url}/health/${probe}`)).status).toBe(200);
    const printed = await invoke(served.url);
    expect(printed).toContain("type: dev.agentic.step.completed");
    expect(printed).toContain('"output": "4 words"');
    expect(await invoke(served.url)).toBe(printed);
    expect(await served.end()).toBe(0);
  });

  test("func notes that it is reached from inside the cluster only", async () => {
    const label = ["--name", "networking.knative.dev/visibility", "--value", "cluster-local"];
    expect((await func(folder, "config", "labels", "add", ...label)).code).toBe(0);
    const { deploy } = parse(await readFile(join(folder, "func.yaml"), "utf8"));
    expect(deploy).toMatchObject({ labels: [{ key: "networking.knative.dev/visibility", value: "cluster-local" }] });
  });

  test("its workload runs by agentic run, which gives it its settings", async () => {
    const port = await freePort();
    const out = join(folder, "agentic-runs/my-texts");
    const args = [
      join(ROOT, "cli/agentic.ts"),
      "run",
      "count-words.yaml",
      "--agent",
      `count-words=http://127.0.0.1:${port}`,
    ];
    const running = run("node", [...args, "--approve"], { cwd: folder });
    await expect.poll(() => existsSync(join(out, "agent.env")), { timeout: 60_000 }).toBe(true);
    const given = parseEnv(await readFile(join(out, "agent.env"), "utf8")) as Record<string, string>;
    served = await serveScript(join(folder, "build/src/index.js"), { ...given, PORT: String(port) });
    const { code, stderr } = await running;
    expect([code, stderr]).toEqual([0, expect.stringContaining("2 of 2 items done, 0 failed")]);
    expect(await readFile(join(out, "outputs/0-count.json"), "utf8")).toBe('{"text":"What does it cost?","words":4}');
  });

  test("wrong settings end it with a sentence", async () => {
    await expect(serveScript(join(folder, "build/src/index.js"), { REDIS_URL: redis.url })).rejects.toThrow(
      /STEP_TOKEN_PUBLIC_KEY is not set/,
    );
  });
});

/** As the new function's README says it, in its folder. */
async function invoke(target: string): Promise<string> {
  const step = ["step-event", "count", "--key", keys.file, "--item", "What does it cost?"];
  const args = await output("npx", step, { cwd: folder });
  const { code, stdout, stderr } = await func(folder, "invoke", "--target", target, ...args.trim().split(" "));
  expect([code, stderr]).toEqual([0, ""]);
  return stdout;
}
