import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { runAttributes } from "../../lib/telemetry/attributes.ts";
import { underTrace } from "../../lib/telemetry/context.ts";
import { METRIC } from "../../lib/telemetry/metrics.ts";
import { collectSpans, type Seen } from "../telemetry/spans.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "./durable-step.ts";
import { redisForFile } from "./redis.ts";

const TRACE = "a".repeat(32);
const STEP_SPAN = "b".repeat(16);
const TRACEPARENT = `00-${TRACE}-${STEP_SPAN}-01`;
const WORKLOAD = { namespace: "default", name: "demo", uid: "uid" };

const own = redisForFile();
const { spans, reset } = collectSpans();
let folder: string;
let artifacts: Artifacts;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-trace-"));
  artifacts = createFolderArtifacts(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));
beforeEach(async () => {
  await own.redis.flushall();
  reset();
});

const runTraced = (step: Parameters<typeof stepOf>, traceparent: string | undefined = TRACEPARENT) => {
  const runDurably = runnerOf({
    store: new RedisStepStore(own.redis),
    results: createResultStore(artifacts),
    recursionLimit: 25,
  });
  return underTrace(traceparent, runAttributes({ workload: WORKLOAD, run: "run" }), () => runDurably(stepOf(...step)));
};
const named = (name: string): Seen[] => spans().filter((span) => span.name === name);

describe("the trace of a step", () => {
  test("attempt, nodes, and what a node does, one below the other, under the step of the request", async () => {
    const graph = graphOf({
      fetch: async ({ workload }) => void (await artifacts.put(workload, "hello", "txt")),
      read: async () => SUCCEEDED,
    });
    await runTraced([graph]);
    const [attempt] = named("attempt work");
    const [fetch, ...others] = named("node fetch");
    expect(attempt).toMatchObject({
      traceId: TRACE,
      parent: STEP_SPAN,
      links: [],
      attributes: { "agentic.outcome": "succeeded", "agentic.step": "work", "gen_ai.operation.name": "invoke_agent" },
    });
    expect([fetch?.parent, named("node read")[0]?.parent, others]).toEqual([attempt?.id, attempt?.id, []]);
    for (const span of [fetch, attempt]) expect(span?.attributes).toMatchObject({ "agentic.artifact.writes": 1 });
    for (const { traceId, attributes } of spans())
      expect([traceId, attributes["agentic.workload.namespace"], attributes["agentic.run"]]).toEqual([
        TRACE,
        "default",
        "run",
      ]);
  });

  test("a start that failed, and the next one, which links to it; a start that was given back counts as one, too", async () => {
    let starts = 0;
    const graph = graphOf({
      once: async () => undefined,
      work: async () => {
        starts++;
        if (starts === 1) throw new RetryableError("ModelUnavailable", "no model answered");
        if (starts === 2) throw new RetryableError("BrowserUnavailable", "no browser", { countsAsAttempt: false });
        return SUCCEEDED;
      },
    });
    await expect(runTraced([graph])).rejects.toThrow();
    await expect(runTraced([graph])).rejects.toThrow();
    await runTraced([graph]);
    const [first, second, third] = named("attempt work");
    expect(first).toMatchObject({ status: "no model answered", attributes: { "error.type": "ModelUnavailable" } });
    expect([first?.links, second?.links, third?.links]).toEqual([[], [first?.id], [second?.id]]);
    // Resumed where it stopped.
    expect([named("node once").length, named("node work").length]).toEqual([1, 3]);
  });

  test("a start is under way until it ends, however it ends", async () => {
    const record = vi.spyOn(METRIC.running, "record");
    const running = () => record.mock.calls.reduce((sum, [value]) => sum + value, 0);
    const seen: number[] = [];
    const failing = async () => {
      seen.push(running());
      throw new RetryableError("ModelUnavailable", "no model answered");
    };
    await expect(runTraced([graphOf({ failing })])).rejects.toThrow();
    seen.push(running());
    expect([seen, record.mock.calls[0]?.[1]]).toEqual([[1, 0], { step: "work" }]);
    record.mockRestore();
  });

  test("one that ended before is told as recorded, and starts nothing", async () => {
    await runTraced([async () => SUCCEEDED]);
    reset();
    await runTraced([async () => SUCCEEDED]);
    expect(spans().map(({ name }) => name)).toEqual(["recorded work"]);
    expect(named("recorded work")[0]?.attributes).toMatchObject({
      "agentic.recorded": true,
      "agentic.artifact.reads": 1,
    });
  });

  test("a failed step says why", async () => {
    await runTraced([
      async () => {
        throw new TerminalError("Blocked", "the site blocks");
      },
    ]);
    expect(named("attempt work")[0]).toMatchObject({
      status: "the site blocks",
      attributes: { "agentic.outcome": "failed", "error.type": "Blocked" },
    });
  });

  test("steps at the same time in one process stay apart", async () => {
    const one = (index: number) =>
      runTraced(
        [
          graphOf({
            wait: async () => void (await sleep(20)),
            read: async ({ workload }) => {
              await artifacts.put(workload, `bytes of ${index}`, "txt");
              return SUCCEEDED;
            },
          }),
          { identity: `id-${index}` },
        ],
        `00-${TRACE}-${String(index).repeat(16)}-01`,
      );
    await Promise.all([1, 2, 3, 4].map(one));
    for (const attempt of named("attempt work")) {
      expect(attempt.attributes["agentic.step.identity"]).toBe(`id-${attempt.parent?.[0]}`);
      const nodes = spans().filter(({ parent, name }) => parent === attempt.id && name.startsWith("node"));
      expect(nodes.map(({ name }) => name)).toEqual(["node wait", "node read"]);
      expect(nodes[1]?.attributes).toMatchObject({ "agentic.artifact.reads": 1, "agentic.artifact.writes": 1 });
    }
  });

  test("without the trace of who asked, it is one of its own", async () => {
    await runTraced([async () => SUCCEEDED], "");
    expect(named("attempt work")[0]).toMatchObject({ parent: undefined, attributes: { "agentic.step": "work" } });
  });
});
