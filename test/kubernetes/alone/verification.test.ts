import { expect, test } from "vitest";
import { verify } from "../verification/verify.ts";
import { resyncForFile, SOON } from "./resync.ts";

// A minute of `make verify`, with the same draws each time.

resyncForFile(SOON);

test("random pipelines end as they do in memory, whatever is killed and wiped", async () => {
  const { findings, ...counts } = await verify({ seed: 11, ms: 60_000, say: console.log });
  expect(findings).toEqual([]);
  // Without faults, or runs that get through, nothing would have been seen.
  expect(counts.faults).toBeGreaterThan(5);
  expect(counts.succeeded).toBeGreaterThan(1);
  expect(counts.executions).toBeGreaterThan(10);
});
