import { TestRunner } from "vitest";

declare module "vitest" {
  interface TaskMeta {
    /** Attacks that the test has tried so far. */
    attacks?: number;
  }
}

/** Counts attacks of the running test, for bench/attacks: where it fails, what it tried may have passed through. */
export function attacked(times = 1): void {
  const test = TestRunner.getCurrentTest();
  if (!test) throw new Error("no test is running: tests that count their attacks are not concurrent");
  test.meta.attacks = (test.meta.attacks ?? 0) + times;
}
