import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { type FakeAnswer, type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { agentic, type Command, EXAMPLE, killAfter } from "./cli.ts";
import { honest } from "./honest-model.ts";
import { endServers } from "./processes.ts";

const truth = await loadTruth();
/** Items in flight at once in the example. */
const REPLICAS = 5;
const NUMBERED = 1000;
const example = parse(readFileSync(EXAMPLE, "utf8")) as {
  spec: { inputs: { sites: string[]; pagesPerSite?: number } };
};
example.spec.inputs.pagesPerSite = 1;
/** No second attempt at a step, and no more sites than a failure needs. */
const ONCE = {
  retry: { limit: 0 },
  inputs: { ...example.spec.inputs, sites: example.spec.inputs.sites.slice(0, 3) },
};
let sites: SampleSites;
let provider: FakeOpenAi;
let out: string;
let commands: Command[] = [];
beforeAll(async () => {
  sites = await startSampleSites();
  provider = await startFakeOpenAi();
});
afterAll(async () => {
  await sites.close();
  await provider.close();
});
beforeEach(async () => {
  out = await mkdtemp(join(tmpdir(), "agentic-e2e-"));
  commands = [];
  provider.reset();
});
afterEach(async () => {
  for (const { child, ended } of commands) {
    child.kill("SIGKILL");
    await ended;
  }
  await endServers(out);
  await rm(out, { recursive: true, force: true });
});

/** `agentic run --approve` of the example with the fake provider as its model; `spec` changes it. */
async function run(spec: object = {}): Promise<Command> {
  const file = join(out, "workload.yaml");
  await writeFile(file, stringify({ ...example, spec: { ...example.spec, ...spec } }));
  const command = agentic(["run", file, "--out", out, "--approve", ...resolved()], { LLM_BASE_URL: provider.baseUrl });
  commands.push(command);
  return command;
}
function resolved(): string[] {
  return truth.flatMap(({ site }) => ["--resolve", `${new URL(site).host}=127.0.0.1:${sites.port}`]);
}

/** What a command that runs nothing prints as JSON. */
async function aside(args: readonly string[]) {
  const { code, stdout, stderr } = await agentic(args, { LLM_BASE_URL: provider.baseUrl }).ended;
  expect([code, stderr]).toEqual([0, expect.any(String)]);
  return JSON.parse(stdout);
}

/** By step, by item and by model, `agentic cost` explains each micro-dollar of the run. */
async function isAccountedFor(usd: number): Promise<void> {
  for (const by of ["step", "item", "model"]) {
    const { rows, totalUsd, notAttributedUsd } = await aside(["cost", "--out", out, "--by", by, "--output", "json"]);
    const sum = rows.reduce((all: number, { costUsd }: { costUsd: number }) => all + costUsd, 0);
    expect([notAttributedUsd, totalUsd]).toEqual([undefined, expect.closeTo(usd, 6)]);
    expect(sum).toBeCloseTo(usd, 6);
  }
}

/** The files of the run's folder and their sizes; its Redis may write of its own accord. */
async function readFolder(): Promise<string[]> {
  const entries = await readdir(out, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes(join(out, "redis")));
  return Promise.all(
    files.map(async ({ parentPath, name }) => {
      const { size, mtimeMs } = await stat(join(parentPath, name));
      return `${join(parentPath, name)} ${size} ${mtimeMs}`;
    }),
  );
}
async function state(): Promise<{ phase: string; reason?: string; usage: { costUsd: number } }> {
  return JSON.parse(await readFile(join(out, "run.json"), "utf8"));
}

/** The numbers of the questions whose answers the run's own Redis keeps; a killed command leaves it running. */
async function storedAnswers(): Promise<number[]> {
  const redis = new Redis(join(out, "redis", "redis.sock"), { lazyConnect: true, retryStrategy: null });
  redis.on("error", () => undefined);
  try {
    await redis.connect();
    const keys = await redis.keys("agentic:answer:*");
    const answers = await Promise.all(keys.map((key) => redis.get(key)));
    return answers.map((answer) => JSON.parse(answer ?? "{}").inputTokens - NUMBERED);
  } catch {
    // Killed before there was one.
    return [];
  } finally {
    redis.disconnect();
  }
}

describe("with a model", () => {
  test("killed -9 again and again, no answer is paid for twice", async () => {
    const questions: string[] = [];
    const answered: number[] = [];
    provider.answer(async (request) => {
      const question = createHash("sha256").update(JSON.stringify(request)).digest("hex");
      if (!questions.includes(question)) questions.push(question);
      const number = questions.indexOf(question);
      await sleep(150);
      answered.push(number);
      // By its input tokens a stored answer tells which question it is to.
      return { ...honest(request), usage: { input: NUMBERED + number, output: 100 } };
    });
    let kills = 0;
    let paid: readonly number[] = [];
    let seen = 0;
    for (;;) {
      // A kill counts as a start of each step in flight.
      const command = await run({ retry: { limit: 20 } });
      const kill = sleep(killAfter(2500, kills)).then(() => command.child.kill("SIGKILL"));
      const { code } = await command.ended;
      await kill;
      if (code === 0) break;
      kills++;
      // An answer that was on the wire when the process died may be asked for again; one that was stored may not.
      for (const number of paid) expect(answered.slice(seen)).not.toContain(number);
      paid = await storedAnswers();
      seen = answered.length;
    }
    for (const number of paid) expect(answered.slice(seen)).not.toContain(number);
    expect(kills).toBeGreaterThan(2);
    expect(questions).toHaveLength(truth.length + 1);
    expect(answered.length).toBeLessThanOrEqual(truth.length + 1 + kills * REPLICAS);
    expect(await state()).toMatchObject({ phase: "Succeeded", items: { done: 10 } });
  });

  test.each<[string, FakeAnswer, RegExp]>([
    ["answers garbage", { content: "As an AI, I like these pages." }, /InvalidAnswer/],
    ["says 429 for ever", { status: 429, headers: { "retry-after": "0" } }, /429/],
    ["says 500 for ever", { status: 500, headers: { "retry-after": "0" } }, /500/],
  ])(
    "one that %s fails the run with the reason; with a good one the same command continues",
    async (_what, answer, reason) => {
      provider.answer(answer);
      const bad = await (await run(ONCE)).ended;
      expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(reason)]);
      expect(bad.stderr).toContain("3 of 3 items failed");
      await continues();
    },
  );

  test("one that never answers fails the run at the items' deadline; with a good one it continues", async () => {
    // Scraped before, so that the deadline is the model's alone.
    provider.answer({ status: 500, headers: { "retry-after": "0" } });
    await (await run(ONCE)).ended;
    provider.answer("never");
    const bad = await (await run({ ...ONCE, deadlines: { item: "5s" } })).ended;
    expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(/3 of 3 items failed .*DeadlineExceeded/)]);
    await continues();
  });

  async function continues(): Promise<void> {
    provider.answer(honest);
    const good = await (await run(ONCE)).ended;
    expect(good.code).toBe(0);
    // What was scraped is not scraped again.
    expect(good.stderr).not.toMatch(/\] scrape/);
    expect(await state()).toMatchObject({ phase: "Succeeded" });
  }

  test("a budget that is spent ends the run before it is passed, and a larger one continues", async () => {
    provider.answer((request) => ({ ...honest(request), usage: { input: 4000, output: 300 } }));
    const spent = await (await run({ budget: { maxUsd: "0.004" } })).ended;
    expect([spent.code, spent.stderr]).toEqual([1, expect.stringContaining("BudgetExceeded")]);
    const { usage } = await state();
    expect(usage.costUsd).toBeGreaterThan(0);
    expect(usage.costUsd).toBeLessThanOrEqual(0.004);
    await isAccountedFor(usage.costUsd);
    const before = provider.requests.length;
    const left = await readFolder();
    const quoted = await aside(["quote", join(out, "workload.yaml"), "--out", out, ...resolved(), "--output", "json"]);
    expect(quoted).toMatchObject({ spentUsd: usage.costUsd, budgetUsd: 0.004, budgetIsBelowOneCall: true });
    // What was scraped is there, and some of the analyses.
    expect(quoted.steps.map(({ reused }: { reused: number }) => reused > 0)).toEqual([
      true,
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(quoted.steps[0]).toMatchObject({ total: 10, reused: 10, toRun: 0 });
    expect([provider.requests.length, await readFolder()]).toEqual([before, left]);
    const more = await (await run({ budget: { maxUsd: "0.05" } })).ended;
    expect([more.code, more.stderr]).toEqual([0, expect.any(String)]);
    // Those that were paid for are not asked again.
    expect(provider.requests.length).toBe(truth.length + 1);
    await isAccountedFor((await state()).usage.costUsd);
    const done = await aside([
      "run",
      join(out, "workload.yaml"),
      "--dry-run",
      "--out",
      out,
      ...resolved(),
      "--output",
      "json",
    ]);
    expect(done.steps.map(({ reused, toRun }: { reused: number; toRun: number }) => [reused, toRun])).toEqual([
      [10, 0],
      [10, 0],
      [0, 0],
      [0, 0],
      [1, 0],
      [1, 0],
    ]);
    expect(before).toBeGreaterThan(0);
  });
});
