/** A process that takes its turn at a host, says so, and keeps it, or waits for it: `host-turns-worker.ts REDIS HOST`. */
import { createHostTurns } from "../../lib/durable/host-turns.ts";
import { connectRedis } from "../../lib/edges/redis.ts";

const [url = "", host = ""] = process.argv.slice(2);
const turns = createHostTurns(await connectRedis(url), url);
console.log("asks");
await turns.acquire(host, new AbortController().signal);
console.log("has it");
setInterval(() => undefined, 1000);
