import { expect, test } from "vitest";
import { licenceDocument, licenceText } from "../../../cli/licence-text.ts";
import { standingOf } from "../../../lib/licence/standing.ts";

const NOW = new Date("2026-11-30T10:00:00Z");
const USAGE = { month: "2026-11", spent: 40, setAside: 2, running: 3, waiting: 0, namespaces: 2 };

test("an installation without a licence, and what of the limits is in use", () => {
  const standing = standingOf(undefined, NOW, undefined);
  expect(licenceText(undefined, standing, USAGE)).toBe(`\
No licence: the community limits hold
  namespaces  20 with runs under way, 2 in use
  workloads   100 at once, 3 in use
  items       1000000 a month, 42 in 2026-11
`);
  expect(licenceDocument(undefined, standing, USAGE)).toEqual({
    limits: { namespaces: 20, workloadsAtOnce: 100, itemsAMonth: 1_000_000 },
    usage: USAGE,
  });
});

test("one whose licence does not count, while workloads wait", () => {
  const reading = { problem: "its signature is wrong" };
  expect(licenceText(reading, standingOf(reading, NOW, undefined), { ...USAGE, waiting: 5 })).toBe(`\
The community limits hold
  namespaces  20 with runs under way, 2 in use
  workloads   100 at once, 3 in use, 5 waiting
  items       1000000 a month, 42 in 2026-11
The licence in the Secret agentic-system/agentic-licence does not count: its signature is wrong. The community limits hold
`);
});
