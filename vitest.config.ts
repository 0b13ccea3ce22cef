import { defineConfig } from "vitest/config";

/** A safety net against a test that hangs, not an assertion about time: a busy machine is many times slower than an idle one. */
const MINUTE = 60_000;

/** One folder under test/. Projects with a higher order start when the lower ones have ended. */
function suite(name: string, order: number, maxWorkers: number, minutes: number) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      testTimeout: minutes * MINUTE,
      hookTimeout: minutes * MINUTE,
      maxWorkers,
      sequence: { groupOrder: order },
    },
  };
}

export default defineConfig({
  test: {
    // @langchain/langgraph-checkpoint-validation takes describe and it from the global scope.
    globals: true,
    passWithNoTests: false,
    // Two cores: a third worker would only make Chromium and redis-server slower. An e2e test fills both by itself.
    projects: [
      suite("unit", 0, 2, 3),
      suite("integration", 0, 2, 3),
      suite("e2e", 1, 1, 10),
      suite("func", 2, 1, 5),
      suite("contract", 3, 1, 5),
      suite("kubernetes", 4, 1, 10),
    ],
  },
});
