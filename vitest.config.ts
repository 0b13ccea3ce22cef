import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // @langchain/langgraph-checkpoint-validation takes describe and it from the global scope.
    globals: true,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores: a third worker would only make Chromium and redis-server slower.
    maxWorkers: 2,
    passWithNoTests: false,
  },
});
