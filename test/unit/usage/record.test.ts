import { describe, expect, test } from "vitest";
import { NO_USAGE } from "../../../engine/result.ts";
import type { LedgerUse, ModelUse } from "../../../lib/model/ledger.ts";
import { usageRecordedEvent } from "../../../lib/usage/event.ts";
import {
  type CountedResult,
  type SeenUse,
  saysMore,
  type UsageFacts,
  type UsageRecord,
  usageRecord,
} from "../../../lib/usage/record.ts";
import { totalOf, usageRows } from "../../../lib/usage/total.ts";

// What a run used: once, whichever of its sources is lost, and however runs of a workload share their steps.

const FACTS: UsageFacts = {
  namespace: "team-a",
  workload: "demo",
  uid: "uid-1",
  part: "run-1",
  run: "r1",
  pipeline: "agentic-system/p",
  ended: "ended",
  month: "2026-11",
  recordedAt: "2026-11-30T23:00:00.000Z",
  items: 3,
};

const use = (nanoUsd: number, over: Partial<ModelUse> = {}): ModelUse => ({
  model: "gpt",
  calls: 1,
  inputTokens: nanoUsd,
  cachedInputTokens: 0,
  outputTokens: 0,
  nanoUsd,
  ...over,
});
const ledgerOf = (nanoUsd: number, unsettledNanoUsd = 0): LedgerUse => ({
  models: nanoUsd > 0 ? [use(nanoUsd)] : [],
  unsettledNanoUsd,
});
/** A step that visited for a second, and paid so much. */
const result = (step: string, digest: string, nanoUsd = 0, browserSeconds = 1): CountedResult => ({
  step,
  digest,
  usage: { ...NO_USAGE, browserSeconds, costUsd: nanoUsd / 1e9, inputTokens: nanoUsd },
  ...(nanoUsd === 0
    ? {}
    : {
        modelCalls: [
          {
            model: "gpt",
            purpose: "",
            prompt: "",
            calls: 1,
            inputTokens: nanoUsd,
            outputTokens: 0,
            costUsd: nanoUsd / 1e9,
          },
        ],
      }),
});
const made = (seen: Partial<SeenUse>, earlier: readonly UsageRecord[] = [], facts: Partial<UsageFacts> = {}) =>
  usageRecord({ ...FACTS, ...facts }, { ledger: ledgerOf(0), results: [], ...seen }, earlier);
const nano = (record: UsageRecord): number => record.models.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);

describe("a record", () => {
  test("says what the ledger booked by model, and how long the browser was held", () => {
    const models = [use(5, { calls: 2, cachedInputTokens: 3, outputTokens: 7 }), use(1, { model: "other" })];
    const record = made({
      ledger: { models, unsettledNanoUsd: 4 },
      results: [[result("a", "1"), result("a", "2", 0, 0.25)]],
    });
    expect(record).toMatchObject({ items: 3, browserMs: 1250, models, unsettledNanoUsd: 4, lacks: [] });
    expect(totalOf([record])).toEqual({
      items: 3,
      browserSeconds: 1.25,
      calls: 3,
      inputTokens: 6,
      cachedInputTokens: 3,
      outputTokens: 7,
      usd: 6e-9,
      unsettledUsd: 4e-9,
      reportedUsd: 0,
    });
  });

  test("of the same workload says what those before it do not", () => {
    const first = made({ ledger: ledgerOf(10, 5), results: [[result("a", "1"), result("b", "2")]] });
    const second = made({ ledger: ledgerOf(25), results: [[result("a", "1"), result("b", "3")]] }, [first]);
    expect([nano(first), nano(second)]).toEqual([10, 15]);
    // A step that the second run took over from the first is paid once.
    expect([first.browserMs, second.browserMs]).toEqual([2000, 1000]);
    expect([first.unsettledNanoUsd, second.unsettledNanoUsd]).toEqual([5, -5]);
    const third = made({ ledger: ledgerOf(25), results: [[result("a", "1"), result("b", "3")]] }, [first, second], {
      items: 0,
    });
    expect([nano(third), third.browserMs, saysMore(third)]).toEqual([0, 0, false]);
  });

  test("counts equal results of a fan-out each, and those that two run objects share once", () => {
    const equal = [result("a", "1"), result("a", "1"), result("a", "1")];
    expect(made({ results: [equal] }).browserMs).toBe(3000);
    expect(made({ results: [equal, equal.slice(0, 2)] }).browserMs).toBe(3000);
    expect(made({ results: [[result("a", "1"), result("b", "1")]] }).browserMs).toBe(2000);
  });

  test("of a run whose ledger Redis lost says what its results know", () => {
    const results = [[result("a", "1", 10), result("a", "2", 20)]];
    expect(nano(made({ results, ledger: ledgerOf(5) }))).toBe(30);
    expect(nano(made({ results, ledger: ledgerOf(40) }))).toBe(40);
    const unread = made({ results, ledger: undefined });
    expect([nano(unread), unread.lacks]).toEqual([30, ["ledger"]]);
    // What the ledger knew before is not taken back, nor counted twice.
    const first = made({ results, ledger: ledgerOf(50) });
    const second = made({ results: [...results, [result("b", "3", 15)]], ledger: ledgerOf(15) }, [first]);
    expect([nano(first), nano(second)]).toEqual([50, 0]);
  });

  test("of a step that was under way at the record before it counts no call twice", () => {
    const first = made({ ledger: ledgerOf(10), results: [[]] }, [], { ended: "superseded" });
    const second = made({ ledger: ledgerOf(30), results: [[result("a", "1", 30)]] }, [first]);
    expect([nano(first), nano(second)]).toEqual([10, 20]);
  });

  test("says apart what an agent tells of itself that the ledger does not know", () => {
    const own = { ...result("a", "1"), usage: { ...NO_USAGE, costUsd: 0.5, inputTokens: 7, outputTokens: 8 } };
    const record = made({ results: [[own, result("b", "2", 10)]] });
    expect(record.reported).toEqual({ inputTokens: 7, outputTokens: 8, nanoUsd: 500_000_000 });
    expect(nano(record)).toBe(10);
    expect(totalOf([record])).toMatchObject({ usd: 1e-8, reportedUsd: 0.5 });
  });

  test("without results says that they are gone", () => {
    expect(made({ results: undefined, ledger: ledgerOf(3) })).toMatchObject({ lacks: ["results"], browserMs: 0 });
  });
});

test("records are summed by month and namespace, as whole billionths; what came after a run is no run", () => {
  const tenths = Array.from({ length: 10 }, () => made({ ledger: ledgerOf(100_000_000) }));
  const rest = made({ ledger: ledgerOf(1) }, [], { part: "rest", items: 0 });
  const other = made({}, [], { namespace: "team-b", month: "2026-10" });
  expect(usageRows([...tenths, rest, other])).toMatchObject([
    { month: "2026-10", namespace: "team-b", runs: 1, usd: 0 },
    { month: "2026-11", namespace: "team-a", runs: 10, items: 30, usd: 1.000000001 },
  ]);
});

test("a record's event has an id of its own, its namespace as subject, and numbers as data", () => {
  const record = made({ ledger: { models: [use(2_000_000_000)], unsettledNanoUsd: 0 } });
  const event = usageRecordedEvent(record);
  expect(event).toMatchObject({
    specversion: "1.0",
    id: "uid-1-run-1",
    type: "dev.agentic.usage.recorded",
    source: "/agentic/reconcile",
    subject: "team-a",
    time: "2026-11-30T23:00:00.000Z",
    data: { workload: "demo", pipeline: "agentic-system/p", month: "2026-11", items: 3, usd: 2, calls: 1 },
  });
  expect((event.data as { models: object }).models).toEqual({
    gpt: { calls: 1, inputTokens: 2_000_000_000, cachedInputTokens: 0, outputTokens: 0, usd: 2 },
  });
  expect(usageRecordedEvent({ ...record, part: "rest" }).id).not.toBe(event.id);
});
