import { describe, expect, test } from "vitest";
import { type RunEnd, type RunEvent, runPipeline } from "../../cli/local/runner.ts";
import { NO_USAGE, type StepRequest, type StepResult } from "../../lib/step.ts";
import type { Findings } from "../../pipeline/findings.ts";
import { marketAnalysis } from "../../pipeline/market-analysis.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";

const SITES = ["http://a.example/", "http://b.example/", "http://c.example/"];

const order: RunOrder = {
  pipeline: marketAnalysis,
  workload: { namespace: "default", name: "demo", uid: "uid-1" },
  run: "run-1",
  lists: { sites: SITES },
  params: { objective: "who wins?", model: { name: "gpt-4o-mini" } },
  parallelism: 2,
  tolerated: 1,
  retryLimit: 3,
  deadlineMs: { site: 1000, run: 5000 },
};

const ok = (key: string): StepResult => ({
  outcome: "succeeded",
  artifacts: { key },
  usage: { ...NO_USAGE, costUsd: 1 },
});
const bad = (reason: string): StepResult => ({
  outcome: "failed",
  reason,
  message: "why",
  artifacts: {},
  usage: NO_USAGE,
});

interface World {
  /** The answer to a step on an item; absent: it succeeds. */
  readonly answers?: Record<string, StepResult>;
  readonly recorded?: Map<string, StepResult>;
  readonly reviewed?: Findings;
  readonly decision?: "approved" | "rejected";
}

async function run(world: World = {}): Promise<{
  end: RunEnd;
  sent: string[];
  events: RunEvent[];
  findings: Findings[];
  records: Map<string, StepResult>;
  most: number;
}> {
  const sent: string[] = [];
  const events: RunEvent[] = [];
  const findings: Findings[] = [];
  const records = world.recorded ?? new Map<string, StepResult>();
  let inFlight = 0;
  let most = 0;
  const end = await runPipeline(order, {
    async dispatch(id: string, request: Omit<StepRequest, "token">) {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight--;
      const key = `${request.step} ${request.input.item ?? ""}`.trim();
      sent.push(key);
      const result = world.answers?.[key] ?? ok(key);
      records.set(id, result);
      return result;
    },
    recorded: async (id) => records.get(id),
    reviewed: async () => world.reviewed,
    async decide(found) {
      findings.push(found);
      const decision = {
        decision: world.decision ?? "approved",
        digest: "0".repeat(64),
        by: "test",
        at: "2026-01-01T00:00:00Z",
      } as const;
      return { decision, result: ok("decision") };
    },
    emit: (event) => events.push(event),
    signal: new AbortController().signal,
    now: () => new Date(0),
  });
  return { end, sent, events, findings, records, most };
}

describe("runPipeline", () => {
  test("runs each site's chain, the gate, the report", async () => {
    const { end, sent, findings, most } = await run();
    expect(end).toMatchObject({ phase: "Succeeded", usage: { costUsd: 8 } });
    expect(sent.filter((s) => s.startsWith("scrape"))).toHaveLength(3);
    expect(sent.filter((s) => s.startsWith("analyze"))).toHaveLength(3);
    expect(sent.at(-1)).toBe("report");
    expect(findings[0]?.items.map((i) => i.item)).toEqual(SITES);
    expect(most).toBe(order.parallelism);
  });

  test.each<[string, World, Partial<RunEnd>, string[]]>([
    [
      "a failed site within tolerance",
      { answers: { [`scrape ${SITES[0]}`]: bad("Blocked") } },
      { phase: "Succeeded" },
      ["report"],
    ],
    [
      "more failed sites than tolerated",
      { answers: { [`scrape ${SITES[0]}`]: bad("Blocked"), [`analyze ${SITES[1]}`]: bad("InvalidAnswer") } },
      {
        phase: "Failed",
        reason: "TooManyFailedSites",
        message: "2 of 3 sites failed (1 × Blocked, 1 × InvalidAnswer); spec.tolerate.failedSites allows 1",
      },
      [],
    ],
    [
      "a spent budget, whatever is tolerated",
      { answers: { [`analyze ${SITES[2]}`]: bad("BudgetExceeded") } },
      { phase: "Failed", reason: "BudgetExceeded" },
      [],
    ],
    ["a rejection", { decision: "rejected" }, { phase: "Rejected" }, []],
    [
      "a failed report",
      { answers: { report: bad("InvalidAnswer") } },
      { phase: "Failed", reason: "InvalidAnswer" },
      ["report"],
    ],
  ])("%s", async (_name, world, expected, reported) => {
    const { end, sent } = await run(world);
    expect(end).toMatchObject(expected);
    expect(sent.filter((s) => s === "report")).toEqual(reported);
  });

  test("a failed scrape is not analyzed", async () => {
    const { sent } = await run({ answers: { [`scrape ${SITES[0]}`]: bad("Blocked") } });
    expect(sent).not.toContain(`analyze ${SITES[0]}`);
  });

  test("what is recorded is not sent again, and gives the same findings", async () => {
    const first = await run();
    const second = await run({ recorded: first.records });
    expect(second.sent).toEqual([]);
    expect(second.findings).toEqual(first.findings);
    expect(second.events.every((e) => e.type === "ended" && (e.recorded || e.step === "review"))).toBe(true);
  });

  test("a run that waits at the gate goes on from its findings, with no step repeated", async () => {
    const first = await run();
    const reviewed = first.findings[0];
    if (!reviewed) throw new Error("the first run opened no gate");
    const { sent, end } = await run({ reviewed });
    expect(sent).toEqual(["report"]);
    expect(end.usage.costUsd).toBe(8);
  });
});
