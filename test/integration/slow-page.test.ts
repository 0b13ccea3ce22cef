import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { upstream } from "../../engine/outcomes.ts";
import { createGraph } from "../../functions/analyze/graph.ts";
import { createPagePool, PAGE_LIMITS, type PagePool } from "../../functions/analyze/page-pool.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createAsker, type StepAnswer } from "../ask-agent.ts";
import { LARGE_PAGE, SLOW_PAGE } from "../slow-pages.ts";
import { graphOf, SUCCEEDED, stepOf } from "./durable-step.ts";
import { redisForFile } from "./redis.ts";
import { captureTidy } from "./tidy.ts";

const OTHER_INSTANCE = fileURLToPath(new URL("./durable-worker.ts", import.meta.url));
/** Renewed three times meanwhile; the slow page takes longer than it. */
const LEASE_MS = 3_000;

/** Of an ordinary page. */
const DONE = { result: { outcome: "succeeded", output: expect.stringContaining("2 offers") } };

const asker = await createAsker();
const own = redisForFile();
let folder: string;
let artifacts: Artifacts;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-slow-page-"));
  artifacts = createFolderArtifacts(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** An instance of analyze, and what its steps are run by. */
function instance(pages?: PagePool) {
  const runDurably = createRunDurably({
    store: new RedisStepStore(own.redis),
    results: createResultStore(artifacts),
    holder: "this instance",
    leaseTtlMs: LEASE_MS,
    keepMs: 60_000,
    recursionLimit: 25,
    modelCalls: async () => [],
    egress: async () => undefined,
    now: () => new Date(),
  });
  const log = pino({ level: "silent" });
  const deps = { ...asker.deps({ redis: own.redis, artifacts, log }), runDurably };
  const app = createAgentApp(createGraph({ artifacts, model: undefined }, pages), deps);
  const analyze = async (uid: string, html?: string): Promise<StepAnswer> => {
    const captured = await captureTidy(artifacts, { uid, ...(html === undefined ? {} : { html }) });
    const input = { item: "http://tidy.test/", params: {}, from: { scrape: [upstream(captured)] } };
    return asker.ask(app, { step: "analyze", input, uid, retryLimit: 3 });
  };
  return { runDurably, analyze };
}

/** Another instance that is asked for the same step, again and again as by the Broker. @returns its nodes, until the step is done */
async function takeOver(identity: string, done: () => boolean): Promise<string[]> {
  const log = join(folder, `${identity}.log`);
  while (!done()) {
    const args = [OTHER_INSTANCE, own.server.url, folder, log, identity, "0", String(LEASE_MS)];
    const child: ChildProcess = spawn(process.execPath, args, { stdio: "ignore" });
    await once(child, "close");
  }
  return (await readFile(log, "utf8").catch(() => "")).split("\n").filter((line) => line !== "");
}

test("a page that takes too long holds no neighbour's lease, and fails alone", async () => {
  const { runDurably, analyze } = instance();
  let done = false;
  let times = 0;
  const hostile = analyze("hostile", SLOW_PAGE).finally(() => {
    done = true;
  });
  // It has its lease for as long as the page is read, and works on nothing but that.
  const neighbour = runDurably(
    stepOf(
      graphOf({
        work: async () => {
          times++;
          while (!done) await sleep(50);
          return SUCCEEDED;
        },
      }),
      { identity: "neighbour" },
    ),
  );
  const ordinary = Promise.all(Array.from({ length: 3 }, (_, at) => analyze(`ordinary-${at}`)));
  const [failed, ended, elsewhere] = await Promise.all([hostile, neighbour, takeOver("neighbour", () => done)]);
  expect(failed).toMatchObject({
    status: 200,
    result: { outcome: "failed", reason: "ExtractionTimedOut", message: expect.stringContaining("10 s") },
  });
  expect(ended).toEqual(SUCCEEDED);
  expect({ times, elsewhere }).toEqual({ times: 1, elsewhere: [] });
  for (const answer of await ordinary) expect(answer).toMatchObject(DONE);
});

test("a page that takes too much memory fails alone", async () => {
  const { analyze } = instance(createPagePool({ ...PAGE_LIMITS, timeoutMs: 100_000 }));
  const ordinary = Promise.all(Array.from({ length: 6 }, (_, at) => analyze(`beside-${at}`)));
  expect(await analyze("large", LARGE_PAGE)).toMatchObject({
    result: { outcome: "failed", reason: "ExtractionTooLarge", message: expect.stringContaining("128 MB") },
  });
  for (const answer of await ordinary) expect(answer).toMatchObject(DONE);
});
