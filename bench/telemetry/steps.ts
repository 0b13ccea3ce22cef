/**
 * Durable steps of five nodes, one after the other, as an agent does them: flushed after each. Prints the ms that each took, as JSON.
 * Arguments: URL of Redis, folder of artifacts, how many. Telemetry by the standard variables.
 */
import { randomUUID } from "node:crypto";
import { RedisStepStore } from "../../lib/durable/redis-step-store.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { createLog } from "../../lib/log.ts";
import { startTelemetry } from "../../lib/telemetry/start.ts";
import { graphOf, runnerOf, SUCCEEDED, stepOf } from "../../test/integration/durable-step.ts";

const [url = "", folder = "", count = ""] = process.argv.slice(2);
/** They warm up, and do not count. */
const UNCOUNTED = 20;

const telemetry = await startTelemetry("bench", process.env, createLog("bench", "silent"));
const redis = await connectRedis(url);
const runDurably = runnerOf({
  store: new RedisStepStore(redis),
  results: createResultStore(createFolderArtifacts(folder)),
});
const pass = async (): Promise<undefined> => undefined;
const graph = graphOf({ one: pass, two: pass, three: pass, four: pass, five: async () => SUCCEEDED });
const times: number[] = [];
for (let i = 0; i < UNCOUNTED + Number(count); i++) {
  const began = performance.now();
  await runDurably(stepOf(graph, { identity: randomUUID() }));
  await telemetry.flush();
  if (i >= UNCOUNTED) times.push(performance.now() - began);
}
await telemetry.shutdown();
redis.disconnect();
console.log(JSON.stringify(times));
