import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentSchema } from "../../../crd/agent.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import { pipelineProblems } from "../../../engine/check.ts";
import { agentNames, candidates, freeze, imagePipeline } from "../../../engine/freeze.ts";
import { stepIdentity } from "../../../engine/identity.ts";
import { gateTerms, type Run, retryLimitOf, runIdOf, runOf, stepDeadlineMs, stepOf } from "../../../engine/run.ts";
import { toleratedFailures } from "../../../engine/tolerance.ts";
import { workloadProblems } from "../../../engine/workload-check.ts";
import { pipelineOf, runWith, workloadOf } from "./build.ts";

describe("tolerated failures", () => {
  test.each([
    ["20%", 50, 10],
    ["20%", 3, 0],
    ["0%", 50, 0],
    ["100%", 7, 7],
    ["20%", 0, 0],
    [3, 50, 3],
    [0, 50, 0],
  ])("%s of %i items: %i", (rule, total, expected) => {
    expect(toleratedFailures(rule, total)).toBe(expected);
  });

  test("anything else is an error", () => {
    expect(() => toleratedFailures("many", 10)).toThrow("neither a number nor a percentage");
  });
});

describe("the identity of a step", () => {
  const dependencies = {
    workload: { namespace: "team-a", uid: "uid-1" },
    step: "check",
    revision: "1",
    input: {
      item: "https://a.example/",
      params: { question: "why?" },
      from: { fetch: [{ outcome: "succeeded" as const, artifacts: { page: "k1" } }] },
    },
  };
  const base = stepIdentity(dependencies);

  test("begins with the namespace", () => expect(base).toMatch(/^team-a\.[0-9a-f]{32}$/));

  test.each([
    ["the workload", { workload: { namespace: "team-a", uid: "uid-2" } }],
    ["its namespace", { workload: { namespace: "team-b", uid: "uid-1" } }],
    ["the step", { step: "other" }],
    ["the agent's revision", { revision: "2" }],
    ["the item", { input: { ...dependencies.input, item: "https://b.example/" } }],
    ["an input in `with`", { input: { ...dependencies.input, params: { question: "how?" } } }],
    ["a result before it", { input: { ...dependencies.input, from: { fetch: [] } } }],
  ])("covers %s", (_what, change) => {
    expect(stepIdentity({ ...dependencies, ...change })).not.toBe(base);
  });

  test("does not depend on the order of keys", () => {
    const { from, params, item } = dependencies.input;
    expect(
      stepIdentity({ input: { from, params, item }, revision: "1", step: "check", workload: dependencies.workload }),
    ).toBe(base);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(canonicalJson(Object.fromEntries(Object.entries(value).reverse()))).toBe(canonicalJson(value));
      }),
    );
  });
});

describe("the id of a run", () => {
  const { spec } = workloadOf({});
  const base = runIdOf("uid-1", spec, []);

  test("is fit for the end of a Kubernetes name", () => expect(base).toMatch(/^[0-9a-f]{10}$/));

  test.each([
    ["suspend", { suspend: true }],
    ["ttlAfterFinished", { ttlAfterFinished: "1d" }],
    ["replicas", { replicas: 3 }],
    ["budget", { budget: { maxUsd: "1" } }],
    ["review", { review: { ...spec.review, required: false } }],
    ["egress", { egress: { allow: ["a.example"] } }],
    ["tolerate", { tolerate: { failedItems: 0 } }],
    ["deadlines", { deadlines: { item: "1m" } }],
    ["retry", { retry: { limit: 0 } }],
    ["freshness", { freshness: "1h" }],
  ])("stays the same when %s changes", (_what, change) => {
    expect(runIdOf("uid-1", { ...spec, ...change }, [])).toBe(base);
  });

  test.each([
    ["pipeline", { pipeline: "other" }],
    ["inputs", { inputs: { a: 1 } }],
    ["image", { image: "a" }],
    ["resources", { resources: {} }],
    ["model", { model: { ...spec.model, name: "other" } }],
  ])("is another when %s changes", (_what, change) => {
    expect(runIdOf("uid-1", { ...spec, ...change }, [])).not.toBe(base);
  });

  test("is another for another workload", () => expect(runIdOf("uid-2", spec, [])).not.toBe(base));
});

describe("settings of a run", () => {
  const STEPS = [
    { name: "each", forEach: "inputs.pages" },
    { name: "slow", forEach: "inputs.pages", timeout: "1h", retry: { limit: 9 }, after: ["each"] },
    { name: "once", retry: { limit: 1 }, after: ["slow"] },
    { name: "g", gate: {}, after: ["once"] },
    { name: "h", gate: { timeout: "2h", onTimeout: "Approve" }, after: ["once"] },
  ];
  const run = runWith(STEPS, { review: { timeout: "1h" }, deadlines: { item: "90s" } });
  const step = (name: string, of: Run = run) => {
    const found = stepOf(of, name);
    if (!found) throw new Error(`no step ${name}`);
    return found;
  };

  test("a run has a day, and the timeouts of its gates", () => {
    expect(run.runDeadlineMs).toBe((24 + 1 + 2) * 3_600_000);
    expect(runWith(STEPS, { deadlines: { run: "10m" } }).runDeadlineMs).toBe(600_000);
  });

  test("a step has its own timeout, an item the workload's deadline, a single step the run's", () => {
    expect(["each", "slow", "once"].map((name) => stepDeadlineMs(run, step(name)))).toEqual([
      90_000,
      3_600_000,
      run.runDeadlineMs,
    ]);
  });

  test("a step only narrows the workload's retries", () => {
    expect(["each", "slow", "once"].map((name) => retryLimitOf(run, step(name)))).toEqual([3, 3, 1]);
  });

  test("a gate's own terms come before the workload's", () => {
    expect(gateTerms(run, step("g"))).toEqual({ timeoutMs: 3_600_000, onTimeout: "Reject" });
    expect(gateTerms(run, step("h"))).toEqual({ timeoutMs: 7_200_000, onTimeout: "Approve" });
  });
});

describe("freezing", () => {
  const agent = (schema?: object) => ({
    ...agentSchema.parse({
      apiVersion: "agentic.dev/v1alpha1",
      kind: "Agent",
      metadata: { name: "worker", namespace: "tools" },
      spec: { uri: "https://worker.example/", ...(schema ? { output: { schema } } : {}) },
    }),
    revision: "r7",
  });

  test("keeps the steps, the output step, and of each agent what its steps depend on", () => {
    const pipeline = pipelineOf([{ name: "a" }, { name: "b", after: ["a"] }], {
      description: "Two steps.",
      output: "a",
    });
    expect(freeze(pipeline, new Map([["worker", agent({ type: "object" })]]))).toEqual({
      pipeline: {
        namespace: "default",
        name: "pipeline",
        description: "Two steps.",
        steps: pipeline.spec.steps,
        output: "a",
        agents: { worker: { namespace: "tools", name: "worker", revision: "r7", output: { type: "object" } } },
      },
    });
  });

  test("refuses what does not fit into an annotation, counted in bytes", () => {
    const pipeline = pipelineOf([{ name: "a" }]);
    const frozen = (description: string) => freeze(pipeline, new Map([["worker", agent({ description })]]));
    expect(frozen("x".repeat(190_000))).toHaveProperty("pipeline");
    expect(frozen("€".repeat(70_000))).toEqual({
      problem: expect.stringMatching(/^the pipeline and its agents' schemas take 210\d{3} bytes, 200000 at most/),
    });
  });

  test("names are looked up in the object's namespace, then in the shared one", () => {
    expect(candidates("a", "team")).toEqual([
      { namespace: "team", name: "a" },
      { namespace: "agentic-system", name: "a" },
    ]);
    expect(candidates("a", "agentic-system")).toEqual([{ namespace: "agentic-system", name: "a" }]);
  });

  test("each agent is looked up once", () => {
    const steps = [{ name: "a" }, { name: "b", agent: "other" }, { name: "c" }, { name: "g", gate: {} }];
    expect(agentNames(pipelineOf(steps))).toEqual(["worker", "other"]);
  });
});

describe("a workload with an image", () => {
  const spec = (items: unknown) => ({ image: "registry.example/a:1", inputs: { items } });

  test("has a valid pipeline of one step over inputs.items", async () => {
    const workload = workloadOf(spec(["https://a.example/", { url: "https://b.example/" }]));
    const pipeline = imagePipeline(workload);
    expect(await pipelineProblems(pipeline.spec)).toEqual([]);
    expect(await workloadProblems(workload, pipeline, new Set())).toEqual([]);
    const run = runOf({ namespace: "default", name: "demo", uid: "u" }, workload.spec, {
      ...pipeline.metadata,
      steps: pipeline.spec.steps,
      output: "run",
      agents: {},
    });
    expect(run.stages.map(({ name, forEach }) => [name, forEach])).toEqual([["run", "inputs.items"]]);
  });

  test.each([
    ["no items", [], "must NOT have fewer than 1 items"],
    ["an item of another type", [1], "must be string,object"],
    ["a private address", ["http://10.0.0.7/"], "10.0.0.7 is a private address"],
  ])("is refused with %s", async (_what, items, message) => {
    const workload = workloadOf(spec(items));
    const problems = await workloadProblems(workload, imagePipeline(workload), new Set());
    expect(problems.map((one) => one.message).join("\n")).toContain(message);
  });
});
