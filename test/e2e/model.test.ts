import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type SampleSites, startSampleSites } from "../../examples/serve.ts";
import { loadTruth } from "../../examples/truth.ts";
import { type ChatRequest, type FakeAnswer, type FakeOpenAi, saidIn, startFakeOpenAi } from "../fakes/openai.ts";
import { agentic, type Command, EXAMPLE } from "./cli.ts";
import { endServers } from "./processes.ts";

const truth = await loadTruth();
/** Sites in flight at once in the example. */
const REPLICAS = 5;
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

/** `agentic run --approve` of the ten sites with the fake provider as its model; `spec` is added to the example's. */
async function run(spec = ""): Promise<Command> {
  const file = join(out, "workload.yaml");
  const example = await readFile(EXAMPLE, "utf8");
  await writeFile(file, spec.includes("budget:") ? example.replace(/ {2}budget:[\s\S]*/, spec) : `${example}${spec}`);
  const resolve = truth.flatMap(({ site }) => ["--resolve", `${new URL(site).host}=127.0.0.1:${sites.port}`]);
  const command = agentic(["run", file, "--out", out, "--approve", ...resolve], { LLM_BASE_URL: provider.baseUrl });
  commands.push(command);
  return command;
}
async function state(): Promise<{ phase: string; reason?: string; usage: { costUsd: number }; sites: object }> {
  return JSON.parse(await readFile(join(out, "run.json"), "utf8"));
}

/** What a model that has read the question says: nothing beyond what was extracted, and a report that cites the sites. */
function honest(request: ChatRequest): FakeAnswer & object {
  if (!saidIn(request).includes("market strategist"))
    return { content: { positioning: null, audience: [], offers: [], callsToAction: [], proof: [], layout: [] } };
  const cited = /"id":"([^"]+)"/.exec(saidIn(request).replaceAll("\\", ""))?.[1];
  return {
    content: {
      answer: "Price below the middle of the field.",
      recommendation: "Start free.",
      claims: [{ title: "Most have a free tier", text: "They do.", sites: [cited] }],
    },
  };
}
const questionOf = (request: ChatRequest): string => createHash("sha256").update(JSON.stringify(request)).digest("hex");

describe("with a model", () => {
  test("killed -9 again and again, no answer is paid for twice", { timeout: 240_000 }, async () => {
    const answered: { readonly question: string; readonly at: number }[] = [];
    provider.answer(async (request) => {
      await sleep(150);
      answered.push({ question: questionOf(request), at: Date.now() });
      return honest(request);
    });
    const kills: number[] = [];
    for (;;) {
      const command = await run();
      const kill = sleep(2500 + kills.length * 500).then(() => {
        if (command.child.exitCode === null && command.child.kill("SIGKILL")) kills.push(Date.now());
      });
      const { code } = await command.ended;
      await kill;
      if (code === 0) break;
      expect(kills.length).toBeLessThan(25);
    }
    expect(kills.length).toBeGreaterThan(2);
    expect(new Set(answered.map(({ question }) => question)).size).toBe(truth.length + 1);
    // An answer that was on the wire when the process died is the only one that can be lost: half a second is plenty to store one.
    for (const [i, { question, at }] of answered.entries())
      if (answered.slice(i + 1).some((later) => later.question === question))
        expect(kills.some((kill) => kill - at < 500 && kill - at > -500)).toBe(true);
    expect(answered.length).toBeLessThanOrEqual(truth.length + 1 + kills.length * REPLICAS);
    expect(await state()).toMatchObject({ phase: "Succeeded", sites: { analyzed: 10 } });
  });

  test.each<[string, FakeAnswer, RegExp]>([
    ["answers garbage", { content: "As an AI, I like these pages." }, /InvalidAnswer/],
    ["says 429 for ever", { status: 429, headers: { "retry-after": "0" } }, /429/],
    ["says 500 for ever", { status: 500, headers: { "retry-after": "0" } }, /500/],
    ["never answers", "never", /no answer|deadline/i],
  ])(
    "one that %s fails the run with the reason; with a good one the same command goes on",
    { timeout: 120_000 },
    async (_what, answer, reason) => {
      provider.answer(answer);
      const quick = "  retry:\n    limit: 0\n  deadlines:\n    site: 10s\n";
      const bad = await (await run(quick)).ended;
      expect([bad.code, bad.stderr]).toEqual([1, expect.stringMatching(reason)]);
      expect(bad.stderr).toContain("10 of 10 sites failed");
      provider.answer(honest);
      const good = await (await run(quick)).ended;
      expect(good.code).toBe(0);
      // What was scraped is not scraped again.
      expect(good.stderr).not.toMatch(/\] scrape/);
      expect(await state()).toMatchObject({ phase: "Succeeded" });
    },
  );

  test("a budget that is spent ends the run before it is passed, and a larger one goes on", async () => {
    provider.answer((request) => ({ ...honest(request), usage: { input: 4000, output: 300 } }));
    const spent = await (await run('  budget:\n    maxUsd: "0.004"\n')).ended;
    expect([spent.code, spent.stderr]).toEqual([1, expect.stringContaining("BudgetExceeded")]);
    const { usage } = await state();
    expect(usage.costUsd).toBeGreaterThan(0);
    expect(usage.costUsd).toBeLessThanOrEqual(0.004);
    const before = provider.requests.length;
    const more = await (await run('  budget:\n    maxUsd: "0.05"\n')).ended;
    expect([more.code, more.stderr]).toEqual([0, expect.any(String)]);
    // Those that were paid for are not asked again.
    expect(provider.requests.length).toBe(truth.length + 1);
    expect(before).toBeGreaterThan(0);
  });
});
