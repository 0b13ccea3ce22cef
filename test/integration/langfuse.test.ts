import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { context, metrics, propagation, trace } from "@opentelemetry/api";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { ledgerName } from "../../engine/identity.ts";
import { type Evaluation, NO_USAGE } from "../../engine/result.ts";
import { runSpanId, stepSpanId, traceId } from "../../engine/trace.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { readSpent } from "../../lib/model/ledger.ts";
import type { ModelOptions } from "../../lib/model/model.ts";
import type { Question } from "../../lib/model/question.ts";
import { recordEvaluation } from "../../lib/telemetry/evaluation.ts";
import { createLangfuseScores } from "../../lib/telemetry/langfuse-scores.ts";
import { recordRun } from "../../lib/telemetry/run-spans.ts";
import { startTelemetry } from "../../lib/telemetry/start.ts";
import { NO_TELEMETRY, type Telemetry } from "../../lib/telemetry/telemetry.ts";
import packageJson from "../../package.json" with { type: "json" };
import { type Asker, askedWorkload, createAsker, resultOf } from "../ask-agent.ts";
import { type FakeLangfuse, startFakeLangfuse } from "../fakes/langfuse.ts";
import { type FakeOpenAi, startFakeOpenAi } from "../fakes/openai.ts";
import { serveFunction } from "../func/served.ts";
import { createHarness, done, keyOf, pipelineOf } from "../unit/reconcile/harness.ts";
import { graphOf } from "./durable-step.ts";
import { modelBehind, QUESTION } from "./model-fixture.ts";
import { redisForFile } from "./redis.ts";

// What reaches a Langfuse, and what one in trouble costs. No Langfuse can be had from the registries: the other side is a fake that decodes
// the wire as Langfuse documents it.

const TRACE = "a".repeat(32);
const ASKED = { traceparent: `00-${TRACE}-${"b".repeat(16)}-01`, pipeline: "agentic-system/market-analysis" };

const own = redisForFile();
let folder: string;
let langfuse: FakeLangfuse;
let provider: FakeOpenAi;
let asker: Asker;
let telemetry: Telemetry;
let logged: Record<string, unknown>[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-langfuse-"));
  [langfuse, provider, asker] = await Promise.all([startFakeLangfuse(), startFakeOpenAi(), createAsker()]);
});
afterAll(async () => {
  await Promise.all([langfuse.close(), provider.close(), rm(folder, { recursive: true, force: true })]);
});
beforeEach(async () => {
  logged = [];
  telemetry = NO_TELEMETRY;
  langfuse.reset();
  provider.reset();
  await own.redis.flushall();
});
afterEach(async () => {
  await telemetry.shutdown();
  for (const one of [trace, context, propagation, metrics]) one.disable();
  vi.unstubAllEnvs();
});

async function start(settings: Parameters<typeof startTelemetry>[1] = langfuse.settings): Promise<void> {
  // Of this test: what an earlier one still waits for is its own.
  const lines = logged;
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line)) });
  telemetry = await startTelemetry("analyze", settings, log);
}

let asked = 0;
/** A step, another each time, of one call to a model, through an agent's app, and the flush before its answer. @returns how long that took */
async function step(
  options: Partial<ModelOptions> = {},
  question: Partial<Question<unknown>> = {},
  evaluations: readonly Evaluation[] = [],
): Promise<number> {
  const artifacts = createFolderArtifacts(folder);
  const model = modelBehind(provider, own.redis, options);
  const revision = String(++asked);
  const graph = graphOf({
    ask: async ({ workload, deadline, identity }) => {
      const spender = { workload, spentUsd: 0, step: identity, deadline, signal: new AbortController().signal };
      const { usage } = await model.ask({ ...QUESTION, ...question, instructions: `Say it: ${revision}` }, spender);
      evaluations.forEach(recordEvaluation);
      return { outcome: "succeeded", artifacts: {}, usage: { ...NO_USAGE, ...usage } };
    },
  });
  const app = createAgentApp(graph, asker.deps({ redis: own.redis, artifacts, log: pino({ level: "silent" }) }));
  const answer = await asker.ask(app, {
    step: "analyze",
    input: { item: "http://tidy.test/", params: {}, from: {} },
    revision,
    trace: ASKED,
  });
  expect(resultOf(answer).outcome).toBe("succeeded");
  const before = performance.now();
  await telemetry.flush();
  return performance.now() - before;
}
/** A busy machine takes longer than an answer waits. */
const allSent = () => telemetry.shutdown();
const answers = (claim: string): void => provider.answer({ content: { claim } });
const sent = (name: string) => langfuse.spans.find((span) => span.name.startsWith(name));

describe("a step with a call to a model", () => {
  const CHOICE = { name: "gpt-6-luna", fallbacks: [], maxOutputTokens: 800, reasoningEffort: "low" } as const;
  beforeEach(() =>
    provider.answer({
      content: { claim: "the best" },
      usage: { input: 1234, output: 321, cached: 1000, cacheWrite: 34, reasoning: 21 },
    }),
  );

  test("is a generation, with the model, its parameters, tokens, and the ledger's dollars", async () => {
    vi.stubEnv("LANGFUSE_TRACING_ENVIRONMENT", "staging");
    vi.stubEnv("LANGFUSE_RELEASE", "r7");
    await start();
    await step({}, { model: CHOICE });
    await allSent();
    const { attributes } = sent("chat") ?? {};
    expect(attributes).toMatchObject({
      "langfuse.observation.type": "generation",
      "langfuse.observation.model.name": "gpt-6-luna",
      "langfuse.environment": "staging",
      "langfuse.release": "r7",
      "langfuse.internal.is_app_root": false,
      "langfuse.observation.metadata.purpose": "test",
    });
    const json = (name: string) => JSON.parse(String(attributes?.[`langfuse.observation.${name}`]));
    expect(json("model.parameters")).toEqual({ max_tokens: 100, reasoning_effort: "low" });
    expect(json("usage_details")).toEqual({
      input: 200,
      input_cached_tokens: 1000,
      input_cache_creation: 34,
      output: 300,
      output_reasoning_tokens: 21,
      total: 1555,
    });
    const { spentUsd } = await readSpent(own.redis, ledgerName(askedWorkload()), new Date());
    expect(spentUsd).toBeGreaterThan(0);
    expect(Math.abs(json("cost_details").total - spentUsd)).toBeLessThan(1e-6);
  });

  test("has its workload as session, its namespace as user, its pipeline as tag and our version on every span", async () => {
    await start();
    await step();
    await allSent();
    for (const name of ["attempt analyze", "chat gpt-6-luna", "node ask"]) expect(sent(name), name).toBeDefined();
    for (const { traceId, attributes } of langfuse.spans) {
      expect(traceId).toBe(TRACE);
      expect(attributes).toMatchObject({
        "session.id": "default/demo",
        "user.id": "default",
        "langfuse.trace.tags": ["agentic-system/market-analysis"],
        "langfuse.version": packageJson.version,
      });
    }
    expect(sent("attempt")?.attributes).toMatchObject({
      "langfuse.observation.type": "agent",
      "langfuse.observation.metadata.item": "http://tidy.test/",
    });
    expect(langfuse.headers).toMatchObject({
      "x-langfuse-ingestion-version": "4",
      "content-type": "application/json",
    });
  });

  test("sends nothing of what was said", async () => {
    await start();
    await step();
    await allSent();
    const all = JSON.stringify(langfuse.spans);
    for (const said of ["Say it:", "We are the best.", "the best"]) expect(all).not.toContain(said);
  });

  test("sends it where the setting asks for it: without secrets, personal data and pictures, and never all of a long text", async () => {
    await start();
    const key = `sk-${"a1".repeat(12)}`;
    provider.answer({ content: { claim: `call +1 (415) 555-2671 with ${key}` } });
    const data = `Write to ada@example.com, Authorization: Bearer ${key}.xyz ${"long ".repeat(10_000)}`;
    const image = new Uint8Array([0x89, 1, 2, 3]);
    await step({ capturesContent: true }, { data, image });
    await allSent();
    const { attributes = {} } = sent("chat") ?? {};
    const json = (name: string) => JSON.parse(String(attributes[`langfuse.observation.${name}`]));
    const [system, user, ...more] = json("input");
    expect(more).toEqual([]);
    expect(system).toMatchObject({ role: "system", parts: [{ content: expect.stringContaining("Say it:") }] });
    const [text, picture] = user.parts;
    expect(text.content).toContain("Write to [mail], Authorization: Bearer [secret] long");
    expect(text.content).toHaveLength(10_000);
    expect(picture).toEqual({ type: "text", content: "[picture]" });
    expect(json("output")).toEqual([
      { role: "assistant", parts: [{ type: "text", content: '{"claim":"call [phone] with [secret]"}' }] },
    ]);
    expect(JSON.stringify(langfuse.spans)).not.toContain(key);
    expect(attributes["gen_ai.input.messages"]).toBeUndefined();
  });

  test("leaves an agent's own spans as they are, and uploads no file of theirs", async () => {
    await start();
    const attributes = {
      "langfuse.observation.type": "tool",
      "langfuse.observation.input": "data:image/png;base64,iVBORw0KGgo=",
    };
    trace.getTracer("own").startSpan("own work", { attributes }).end();
    await allSent();
    expect(langfuse.requests).toEqual(["POST /api/public/otel/v1/traces 200"]);
    expect(sent("own work")?.attributes).toMatchObject(attributes);
  });

  test("that is not answered is a generation without tokens and dollars", async () => {
    provider.answer((_, before) => (before === 0 ? { status: 500 } : { content: { claim: "x" } }));
    await start();
    await step();
    await allSent();
    const [failed, answered] = langfuse.spans.filter(({ name }) => name.startsWith("chat"));
    expect(failed?.attributes["langfuse.observation.type"]).toBe("generation");
    expect(failed?.attributes["langfuse.observation.cost_details"]).toBeUndefined();
    expect(answered?.attributes["langfuse.observation.cost_details"]).toBeDefined();
  });
});

describe("a run that ended", () => {
  const gated = pipelineOf({
    inputs: { schema: { type: "object", properties: { items: { type: "array" } } } },
    steps: [
      { name: "fetch", agent: "fetch", forEach: "inputs.items" },
      { name: "review", after: ["fetch"], gate: {} },
      { name: "write", agent: "write", after: ["review", "fetch"] },
    ],
  });
  async function ended(decision: "approved" | "rejected") {
    const world = createHarness({
      pipeline: gated,
      spec: { inputs: { items: ["a"] } },
      answer: ({ step }) => done({ artifacts: { [step]: keyOf(step) } }),
    });
    await world.settle({ decision });
    const [run] = world.recordedRuns;
    if (!run) throw new Error("no run was recorded");
    return run;
  }

  test("is one trace, listed once: its root is the run", async () => {
    await start();
    const run = await ended("approved");
    recordRun(run);
    await allSent();
    const roots = langfuse.spans.filter(({ attributes }) => attributes["langfuse.internal.is_app_root"] === true);
    expect(roots).toMatchObject([{ spanId: runSpanId(run.seed), traceId: traceId(run.seed) }]);
    expect(roots[0]?.attributes["langfuse.observation.type"]).toBe("chain");
    for (const { attributes } of langfuse.spans)
      expect(attributes["langfuse.trace.tags"]).toEqual(["agentic-system/p"]);
  });

  test.each([
    ["approved", 1],
    ["rejected", 0],
  ] as const)("%s by a person has a score, the same however often it is told", async (decision, value) => {
    await start();
    const run = await ended(decision);
    const [gate] = run.gates;
    const commented = {
      ...run,
      gates: [{ ...gate, decision: { ...gate?.decision, comment: "two offers are old" } }],
    } as typeof run;
    recordRun(commented);
    await telemetry.flush();
    recordRun(commented);
    await allSent();
    expect(langfuse.requests.filter((request) => request.includes("scores"))).toHaveLength(2);
    expect([...langfuse.scores.values()]).toEqual([
      {
        id: `${traceId(run.seed)}-${stepSpanId(run.seed, "review")}`,
        traceId: traceId(run.seed),
        name: "review",
        dataType: "BOOLEAN",
        value,
        comment: "two offers are old",
      },
    ]);
  });

  test("is waited for until its score is sent", async () => {
    const scores = createLangfuseScores({ ...langfuse.keys, baseUrl: langfuse.baseUrl }, pino({ level: "silent" }));
    const attributes = { "agentic.step": "review", "agentic.outcome": "approved", "agentic.decision.automatic": false };
    scores.onEnd({ attributes, events: [], spanContext: () => ({ traceId: TRACE, spanId: "b".repeat(16) }) } as never);
    await scores.forceFlush();
    expect(langfuse.scores.size).toBe(1);
  });

  test("without a person's decision has no score", async () => {
    await start();
    const run = await ended("approved");
    const [gate] = run.gates;
    recordRun({ ...run, gates: [{ ...gate, decision: { ...gate?.decision, automatic: true } }] } as typeof run);
    await allSent();
    expect([langfuse.spans.length, langfuse.scores.size]).toEqual([4, 0]);
  });

  test("says in the log that a score was refused", async () => {
    await start({ ...langfuse.settings, LANGFUSE_SECRET_KEY: "wrong" });
    recordRun(await ended("approved"));
    await allSent();
    expect(logged.map(({ msg }) => msg).sort()).toEqual(["score not sent", "telemetry not sent"]);
  });
});

describe("a check of a step's work", () => {
  beforeEach(() => answers("x"));

  test("is a score on its node's span, one for each name and item however often it is made", async () => {
    await start();
    const quotes = { name: "quotes", score: 0.75, explanation: "3 of 4 claims are on the page" };
    await step({}, {}, [quotes, { name: "length", score: 1 }]);
    await step({}, {}, [quotes]);
    await allSent();
    expect(langfuse.requests.filter((request) => request.includes("scores"))).toHaveLength(3);
    const common = {
      id: expect.stringContaining(TRACE),
      traceId: TRACE,
      dataType: "NUMERIC",
      observationId: expect.any(String),
    };
    expect([...langfuse.scores.values()]).toEqual([
      { ...common, name: "quotes", value: 0.75, comment: "3 of 4 claims are on the page" },
      { ...common, name: "length", value: 1 },
    ]);
    const nodes = langfuse.spans.filter(({ name }) => name === "node ask").map(({ spanId }) => spanId);
    for (const score of langfuse.scores.values())
      expect(nodes).toContain("observationId" in score && score.observationId);
  });

  test("is nothing without telemetry", () => {
    expect(() => recordEvaluation({ name: "quotes", score: 1 })).not.toThrow();
  });
});

describe("Langfuse in trouble", () => {
  beforeEach(() => answers("x"));

  test("hanging, it keeps one answer waiting for a moment, and then none", async () => {
    langfuse.behave("hang");
    await start();
    const [first, second, third] = [await step(), await step(), await step()];
    expect(first).toBeGreaterThan(50);
    // Of the five seconds that an exporter takes, on a busy machine.
    expect(first).toBeLessThan(2000);
    expect(Math.max(second ?? 0, third ?? 0)).toBeLessThan(90);
  });

  test.each([
    ["with a wrong key", () => start({ ...langfuse.settings, LANGFUSE_PUBLIC_KEY: "pk-lf-other" })],
    ["away", () => start({ ...langfuse.settings, LANGFUSE_BASE_URL: "http://127.0.0.1:1" })],
    [
      "out of order",
      () => {
        langfuse.behave(500);
        return start();
      },
    ],
  ])("%s, it costs the step nothing, and the log says so once", async (_what, begin) => {
    await begin();
    for (let times = 0; times < 3; times++) expect(await step()).toBeLessThan(2000);
    await allSent();
    // An exporter tries again until its time is over.
    const said = { msg: "telemetry not sent", receiver: "Langfuse", lostSpans: expect.any(Number) };
    await vi.waitFor(() => expect(logged).toEqual([expect.objectContaining(said)]), { timeout: 6_000 });
    expect(langfuse.spans).toEqual([]);
  });

  test("keeps no other receiver from its spans, nor does another one keep it", async () => {
    const other = await startFakeLangfuse();
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", other.baseUrl);
    vi.stubEnv("OTEL_EXPORTER_OTLP_HEADERS", "x-other-key=their-secret");
    await start({ ...langfuse.settings, OTEL_EXPORTER_OTLP_ENDPOINT: other.baseUrl });
    other.behave("hang");
    await step();
    await step();
    await allSent();
    expect(langfuse.spans.filter(({ name }) => name.startsWith("chat"))).toHaveLength(2);
    // The other receiver's keys stay with it.
    expect(JSON.stringify(langfuse.headers)).not.toContain("their-secret");
    await other.close();
  });
});

describe("without Langfuse's variables", () => {
  /** Says which of Langfuse's packages a process loads. */
  const WATCH = `import{registerHooks}from"node:module";registerHooks({resolve(name,from,next){if(name.startsWith("@langfuse/"))process.stderr.write("LOADS "+name+";");return next(name,from)}})`;
  const loaded = async (settings: Record<string, string>): Promise<string[]> => {
    const served = await serveFunction("analyze", {
      REDIS_URL: own.server.url,
      ARTIFACTS_URL: `file://${folder}`,
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(WATCH)}`,
      STEP_TOKEN_PUBLIC_KEY: generateKeyPairSync("ed25519", {
        publicKeyEncoding: { type: "spki", format: "pem" },
        privateKeyEncoding: { type: "pkcs8", format: "pem" },
      }).publicKey,
      ...settings,
    });
    await served.end();
    return [...served.said().matchAll(/LOADS ([^;]+);/g)].map(([, name = ""]) => name);
  };

  test("nothing of it is loaded, and nothing sent; with them, its client only for a score", async () => {
    const otlp = { OTEL_EXPORTER_OTLP_ENDPOINT: langfuse.baseUrl };
    expect(await loaded(otlp)).toEqual([]);
    expect(langfuse.requests.filter((request) => request.includes("/api/public/"))).toEqual([]);
    const withKeys = await loaded(langfuse.settings);
    expect(withKeys).toContain("@langfuse/otel");
    expect(withKeys).not.toContain("@langfuse/client");
  });

  test.each([
    ["an address", "LANGFUSE_BASE_URL"],
    ["a key", "LANGFUSE_SECRET_KEY"],
  ] as const)("without %s nothing is sent anywhere, and the log says what to set", async (_what, missing) => {
    await start({ ...langfuse.settings, [missing]: undefined });
    expect(trace.getTracer("test").startSpan("work").isRecording()).toBe(false);
    expect(logged).toMatchObject([{ msg: `nothing is sent to Langfuse: set ${missing}` }]);
  });
});
