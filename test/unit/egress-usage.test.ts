import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createSummaries } from "../../egress/summaries.ts";
import { createUsageLedger } from "../../egress/usage.ts";
import { egressUsageSchema, MAX_EGRESS_KINDS } from "../../engine/result.ts";

test("a page that asks for any number of hosts fills nobody's memory", () => {
  const ledger = createUsageLedger();
  for (let i = 0; i < 1000; i++) {
    ledger.request("job", `a${i}.test`);
    ledger.bytes("job", `a${i}.test`, 10);
    ledger.refuse("job", `b${i}.test`, i % 2 ? "HostNotAllowed" : "AddressNotPublic");
  }
  const { requests, bytes, hosts, refused } = egressUsageSchema.parse(ledger.of("job"));
  expect([requests, bytes, hosts.length, refused.length]).toEqual([1000, 10_000, 91, 92]);
  expect(hosts.at(-1)).toEqual({ host: "(others)", requests: 910, bytes: 9100 });
  expect(refused.slice(-2).map(({ host, count }) => [host, count])).toEqual([
    ["(others)", 455],
    ["(others)", 455],
  ]);
  expect(hosts.length).toBeLessThan(MAX_EGRESS_KINDS);
});

test("of refusals the first of a kind is known as such", () => {
  const ledger = createUsageLedger();
  const refuse = (host: string, reason: string) => ledger.refuse("job", host, reason);
  expect([refuse("a.test", "X"), refuse("a.test", "X"), refuse("a.test", "Y"), refuse("b.test", "X")]).toEqual([
    ...[true, false, true, true],
  ]);
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("what a job did is said once, when it has been quiet for a while, or at the end", () => {
  const said: string[] = [];
  const summaries = createSummaries((job) => void said.push(job), 100);
  summaries.begin("a");
  vi.advanceTimersByTime(90);
  summaries.delay("a");
  vi.advanceTimersByTime(90);
  summaries.begin("a");
  summaries.begin("a");
  vi.advanceTimersByTime(99);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(1);
  summaries.begin("b");
  summaries.end();
  vi.advanceTimersByTime(1000);
  expect(said).toEqual(["a", "b"]);
});
