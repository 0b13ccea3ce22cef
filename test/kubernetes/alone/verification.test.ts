import { expect, test } from "vitest";
import { verify } from "../verification/verify.ts";
import { resyncForFile, SOON } from "./resync.ts";

// A minute of `make verify`, always the same pipelines and faults. The seed is one whose first minute has an agent, reconcile, Argo and Redis
// killed, and Redis wiped.

resyncForFile(SOON);

test("random pipelines end as they do in memory, while parts are killed and wiped, and do nothing twice", async () => {
  const { findings, succeeded, faults } = await verify({ seed: 1659, ms: 60_000, say: console.log });
  expect(findings).toEqual([]);
  expect(Object.values(faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);
  // Too few prove nothing.
  expect(succeeded).toBeGreaterThan(1);
});
