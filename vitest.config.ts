import { defineConfig } from "vitest/config";

/** A safety net against a test that hangs, not an assertion about time: a busy machine is many times slower than an idle one. */
const MINUTE = 60_000;

interface Suite {
  readonly name: string;
  /** Below test/; the name where it is left out. */
  readonly files?: string;
  /** Suites of a higher order start when those of a lower one have ended. */
  readonly order: number;
  readonly maxWorkers: number;
  readonly minutes: number;
  readonly globalSetup?: string;
}

function suite({ name, files = `${name}/**/*.test.ts`, order, maxWorkers, minutes, globalSetup }: Suite) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${files}`],
      testTimeout: minutes * MINUTE,
      hookTimeout: minutes * MINUTE,
      maxWorkers,
      sequence: { groupOrder: order },
      ...(globalSetup ? { globalSetup } : {}),
    },
  };
}

const globalSetup = "test/kubernetes/namespaces.ts";

export default defineConfig({
  test: {
    // @langchain/langgraph-checkpoint-validation takes describe and it from the global scope.
    globals: true,
    passWithNoTests: false,
    // What was received, far enough to tell why: a message of 40 characters hides a command's error.
    chaiConfig: { truncateThreshold: 600 },
    projects: [
      // Two cores: a third worker would only make Chromium and redis-server slower. An e2e test fills both by itself.
      suite({ name: "unit", order: 0, maxWorkers: 2, minutes: 3 }),
      suite({ name: "integration", order: 0, maxWorkers: 2, minutes: 3 }),
      suite({ name: "e2e", order: 1, maxWorkers: 1, minutes: 10 }),
      suite({ name: "func", order: 1, maxWorkers: 1, minutes: 5 }),
      // Before the product is there: it installs, and removes, all of it.
      suite({ name: "chart", files: "kubernetes/chart/*.test.ts", order: 1, maxWorkers: 1, minutes: 10 }),
      // Contract drives Argo from here, and fills both cores. The others mostly wait for the cluster; what takes a part of it away, or wants
      // it quiet, has it to itself.
      suite({ name: "contract", order: 2, maxWorkers: 2, minutes: 5, globalSetup }),
      // A fourth worker's browsers starve the object store: reads took over ten seconds.
      suite({ name: "kubernetes", files: "kubernetes/*.test.ts", order: 3, maxWorkers: 3, minutes: 15, globalSetup }),
      suite({
        name: "alone",
        files: "kubernetes/alone/*.test.ts",
        order: 4,
        maxWorkers: 1,
        minutes: 10,
        globalSetup,
      }),
    ],
  },
});
