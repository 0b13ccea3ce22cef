import { describe, expect, test } from "vitest";
import { type OpenGate, type RunEvent, runPipeline, type StepOrder } from "../../cli/local/runner.ts";
import { type PipelineSpec, pipelineSpecSchema } from "../../crd/agentpipeline.ts";
import { workloadSpecSchema } from "../../crd/agentworkload.ts";
import { type Findings, gateOutcome } from "../../engine/findings.ts";
import { NO_USAGE, type PreviousResult, type StepResult } from "../../engine/result.ts";
import { type Run, runOf } from "../../engine/run.ts";

const ITEMS = ["a", "b", "c"];

/** A run of these steps; agents are called as the steps name them. */
function runWith(steps: readonly object[], spec: object = {}, agents: Record<string, object> = {}): Run {
  const pipeline: PipelineSpec = pipelineSpecSchema.parse({
    inputs: { schema: { type: "object", properties: { items: { type: "array" }, deep: { type: "boolean" } } } },
    steps,
  });
  const names = pipeline.steps.flatMap(({ agent }) => agent ?? []);
  return runOf(
    { namespace: "default", name: "demo", uid: "uid-1" },
    workloadSpecSchema.parse({ inputs: { items: ITEMS, deep: false }, replicas: 2, ...spec }),
    {
      namespace: "default",
      name: "demo",
      steps: pipeline.steps,
      output: pipeline.steps.at(-1)?.name ?? "",
      agents: Object.fromEntries(
        names.map((name) => [name, { namespace: "default", name, revision: "1", ...agents[name] }]),
      ),
    },
  );
}

const CHAIN = [
  { name: "look", agent: "look", forEach: "inputs.items" },
  { name: "think", agent: "think", after: ["look"], forEach: "inputs.items" },
  { name: "review", gate: {}, after: ["think"] },
  { name: "report", agent: "report", after: ["review"] },
];

const ok = (over: Partial<StepResult> = {}): StepResult => ({
  outcome: "succeeded",
  artifacts: {},
  usage: { ...NO_USAGE, costUsd: 1 },
  ...over,
});
const bad = (reason: string): StepResult => ({ ...ok(), outcome: "failed", reason, message: "why", usage: NO_USAGE });

interface World {
  /** The answer to a step on an item ("look a"); absent: it succeeds. "never": it ends only when the run is stopped. */
  readonly answers?: Record<string, StepResult | "never" | Error>;
  readonly records?: Map<string, StepResult>;
  readonly previous?: PreviousResult | "lost";
  /** Decisions by gate; "never": nobody decides. */
  readonly decisions?: Record<string, "approved" | "rejected" | "never">;
  readonly stop?: AbortController;
  readonly deadline?: AbortController;
  readonly onSent?: (key: string) => void;
}

async function play(run: Run, world: World = {}) {
  const sent: string[] = [];
  const orders: StepOrder[] = [];
  const events: RunEvent[] = [];
  const findings: Findings[] = [];
  const records = world.records ?? new Map<string, StepResult>();
  const signal = (world.stop ?? new AbortController()).signal;
  const deadline = (world.deadline ?? new AbortController()).signal;
  let inFlight = 0;
  let most = 0;
  let open = 0;
  let mostOpen = 0;
  const ended = runPipeline(run, {
    async dispatch(order) {
      most = Math.max(most, ++inFlight);
      const { step, input } = order.request;
      const key = input.item === undefined ? step : `${step} ${String(input.item)}`;
      sent.push(key);
      orders.push(order);
      world.onSent?.(key);
      const answer = world.answers?.[key] ?? ok();
      await new Promise((resolve) => setImmediate(resolve));
      if (answer === "never") await aborted(AbortSignal.any([signal, deadline]));
      inFlight--;
      if (answer === "never") {
        signal.throwIfAborted();
        return bad("DeadlineExceeded");
      }
      if (answer instanceof Error) throw answer;
      return answer;
    },
    recorded: async (identity) => records.get(identity),
    findPrevious: async (_run, { step }) => (step.previous ? world.previous : undefined),
    async record(identity, result) {
      if (result.outcome === "succeeded") records.set(identity, result);
    },
    async decide({ gate, findings: found, signal: closed }: OpenGate) {
      findings.push(found);
      mostOpen = Math.max(mostOpen, ++open);
      const decision = world.decisions?.[gate.name] ?? "approved";
      try {
        await new Promise((resolve) => setImmediate(resolve));
        if (decision === "never") {
          await aborted(closed);
          throw closed.reason;
        }
      } finally {
        open--;
      }
      const digest = "0".repeat(64);
      const at = "2026-01-01T00:00:00Z";
      return gateOutcome(
        { gate: gate.name, digest, decision, by: "test", how: "CommandLine", automatic: false, at },
        { findings: JSON.stringify(found), decision: "d" },
      );
    },
    emit: (event) => events.push(event),
    signal,
    deadline,
    now: () => new Date(0),
    traceSeed: "seed",
  });
  return { ...(await ended), sent, orders, events, findings, records, most, mostOpen };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve());
  });
}

describe("runPipeline", () => {
  test.each<[string, PreviousResult | "lost" | undefined]>([
    [
      "what the run is compared with",
      {
        workload: { namespace: "default", name: "x", uid: "y" },
        run: "r",
        result: { outcome: "succeeded", artifacts: {} },
      },
    ],
    ["nothing", undefined],
    ["nothing where that is lost", "lost"],
  ])("a step that asks for it gets %s", async (_what, previous) => {
    const steps = [
      { name: "look", agent: "look", previous: true },
      { name: "plain", agent: "look", after: ["look"] },
    ];
    const { orders, end } = await play(runWith(steps), previous ? { previous } : {});
    expect(end.phase).toBe("Succeeded");
    expect(orders.map(({ request }) => request.input.previous)).toEqual([
      previous === "lost" ? undefined : previous,
      undefined,
    ]);
  });

  test("runs each item's chain, the gate, what comes after it", async () => {
    const { end, sent, findings, most } = await play(runWith(CHAIN));
    expect(end).toEqual({ phase: "Succeeded" });
    expect(sent.filter((key) => key.startsWith("look"))).toEqual(["look a", "look b", "look c"]);
    expect(sent.filter((key) => key.startsWith("think"))).toHaveLength(3);
    expect(sent.at(-1)).toBe("report");
    expect(findings.map(({ results }) => results.map(({ item }) => item))).toEqual([ITEMS]);
    expect(most).toBe(2);
  });

  test.each<[string, World, object, string[]]>([
    ["a failed item within tolerance", { answers: { "look a": bad("Blocked") } }, { phase: "Succeeded" }, ["report"]],
    [
      "more failed items than tolerated",
      { answers: { "look a": bad("Blocked"), "think b": bad("InvalidAnswer") } },
      {
        phase: "Failed",
        reason: "TooManyFailedItems",
        message: "2 of 3 items failed (1 × Blocked, 1 × InvalidAnswer); spec.tolerate.failedItems allows 1",
      },
      [],
    ],
    [
      "a spent budget, whatever is tolerated",
      { answers: { "think c": bad("BudgetExceeded") } },
      { phase: "Failed", reason: "BudgetExceeded" },
      [],
    ],
    ["a rejection", { decisions: { review: "rejected" } }, { phase: "Rejected", reason: "Rejected" }, []],
    [
      "a failed single step",
      { answers: { report: bad("InvalidAnswer") } },
      { phase: "Failed", reason: "InvalidAnswer", message: "step report: why" },
      ["report"],
    ],
  ])("%s", async (_name, world, expected, reported) => {
    const { end, sent } = await play(runWith(CHAIN, { tolerate: { failedItems: 1 } }), world);
    expect(end).toMatchObject(expected);
    expect(sent.filter((key) => key === "report")).toEqual(reported);
  });

  test("an item whose step failed goes no further", async () => {
    const run = runWith(CHAIN, { tolerate: { failedItems: 1 } });
    expect((await play(run, { answers: { "look a": bad("Blocked") } })).sent).not.toContain("think a");
  });

  test("nothing starts after the budget is spent; what is in flight ends", async () => {
    const { sent, events } = await play(runWith(CHAIN), { answers: { "look a": bad("BudgetExceeded") } });
    expect(sent).toEqual(["look a", "look b"]);
    expect(events.filter(({ type }) => type === "ended")).toHaveLength(2);
  });

  test("what succeeded before is not sent again, and gives the same findings", async () => {
    const first = await play(runWith(CHAIN));
    const second = await play(runWith(CHAIN), { records: first.records });
    expect(second.sent).toEqual([]);
    expect(second.findings).toEqual(first.findings);
    expect(
      second.events.flatMap((event) => (event.type === "ended" && !event.recorded ? [event.instance.step.name] : [])),
    ).toEqual(["review"]);
  });

  test("a step that failed before is sent again", async () => {
    const run = runWith(CHAIN, { tolerate: { failedItems: 1 } });
    const first = await play(run, { answers: { "look a": bad("Blocked") } });
    const second = await play(run, { records: first.records });
    expect(second.sent).toEqual(["look a", "think a", "report"]);
  });

  test("branches, single steps and gates run side by side; ten gates may be open at once", async () => {
    const gates = Array.from({ length: 10 }, (_, at) => ({ name: `gate-${at}`, gate: {}, after: ["start"] }));
    const steps = [
      { name: "start", agent: "start" },
      ...gates,
      { name: "left", agent: "left", after: ["start"] },
      { name: "end", agent: "end", after: [...gates.map(({ name }) => name), "left"] },
    ];
    const { end, sent, mostOpen } = await play(runWith(steps));
    expect([end.phase, sent, mostOpen]).toEqual(["Succeeded", ["start", "left", "end"], 10]);
  });

  test("an item keeps its slot for all of its branches", async () => {
    const steps = [
      { name: "look", agent: "look", forEach: "inputs.items" },
      { name: "left", agent: "left", after: ["look"], forEach: "inputs.items" },
      { name: "right", agent: "right", after: ["look"], forEach: "inputs.items" },
    ];
    const { sent, most } = await play(runWith(steps, { replicas: 1 }));
    expect(sent.filter((key) => key.endsWith(" b")).toSorted()).toEqual(["left b", "look b", "right b"]);
    expect(sent.indexOf("look b")).toBeGreaterThan(sent.indexOf("right a"));
    expect(most).toBe(2);
  });

  test("a list that a step returned is fanned out over, objects included", async () => {
    const steps = [
      { name: "find", agent: "find" },
      { name: "look", agent: "look", after: ["find"], forEach: "steps.find.items" },
    ];
    const items = [{ url: "x" }, { url: "y" }];
    const { end, orders } = await play(runWith(steps), { answers: { find: ok({ items }) } });
    expect(end.phase).toBe("Succeeded");
    expect(orders.slice(1).map(({ request }) => request.input.item)).toEqual(items);
  });

  test("`when` that is false skips a step, one that cannot be answered fails it", async () => {
    const steps = [
      { name: "start", agent: "start" },
      { name: "more", agent: "more", after: ["start"], when: "inputs.deep" },
      { name: "end", agent: "end", after: ["more"], when: "steps.more.data.size() > 0" },
    ];
    const { end, sent, outcomes } = await play(runWith(steps));
    expect(sent).toEqual(["start"]);
    expect(outcomes.get("more")?.[0]?.outcome).toBe("skipped");
    expect(end).toMatchObject({ phase: "Failed", reason: "InvalidCondition", message: expect.stringContaining("end") });
  });

  test("data that does not match the agent's output schema fails the step, and is not kept as a success", async () => {
    const output = { type: "object", required: ["pages"], properties: { pages: { type: "integer" } } };
    const run = runWith([{ name: "look", agent: "look" }], {}, { look: { output } });
    const wrong = await play(run, { answers: { look: ok({ data: { pages: "many" } }) } });
    expect(wrong.end).toMatchObject({
      reason: "InvalidOutput",
      message: expect.stringContaining("data.pages must be integer"),
    });
    expect([wrong.records.size, wrong.outcomes.get("look")?.[0]?.usage.costUsd]).toEqual([0, 1]);
    expect((await play(run)).end).toMatchObject({ reason: "InvalidOutput" });
    expect((await play(run, { answers: { look: ok({ data: { pages: 3 } }) } })).end.phase).toBe("Succeeded");
  });

  test("an order carries what the step is held to", async () => {
    const steps = [{ name: "look", agent: "look", forEach: "inputs.items", timeout: "2m", retry: { limit: 1 } }];
    const { orders } = await play(runWith(steps, { deadlines: { run: "1m" } }));
    // The run's deadline is the earlier one.
    expect(orders[0]).toMatchObject({ deadline: new Date(60_000), retryLimit: 1, agent: { revision: "1" } });
    const later = await play(runWith(steps));
    expect(later.orders[0]?.deadline).toEqual(new Date(120_000));
  });

  test("the run's deadline ends it, open gates included", async () => {
    const deadline = new AbortController();
    const steps = [
      { name: "review", gate: {} },
      { name: "look", agent: "look", forEach: "inputs.items" },
    ];
    const world = { deadline, answers: { "look a": "never" }, decisions: { review: "never" } } as const;
    const { end, sent } = await play(runWith(steps), {
      ...world,
      onSent: () => setTimeout(() => deadline.abort(), 20),
    });
    expect(end).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
    expect(sent).toEqual(["look a", "look b", "look c"]);
  });

  test("a failure closes the gates that wait", async () => {
    const steps = [
      { name: "review", gate: {} },
      { name: "look", agent: "look" },
    ];
    const { end } = await play(runWith(steps), { answers: { look: bad("Blocked") }, decisions: { review: "never" } });
    expect(end).toMatchObject({ phase: "Failed", reason: "Blocked" });
  });

  test("stopped, it throws why once everything in flight has ended", async () => {
    const stop = new AbortController();
    const reason = new Error("stopped by the user");
    const world = { stop, answers: { "look a": "never" } } as const;
    const running = play(runWith(CHAIN), { ...world, onSent: () => setTimeout(() => stop.abort(reason), 5) });
    await expect(running).rejects.toBe(reason);
  });

  test("an edge that throws ends it, and closes the gates", async () => {
    const steps = [
      { name: "review", gate: {} },
      { name: "look", agent: "look" },
    ];
    const away = new Error("the store is away");
    const running = play(runWith(steps), { answers: { look: away }, decisions: { review: "never" } });
    await expect(running).rejects.toBe(away);
  });
});
