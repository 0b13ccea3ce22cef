/** What TLS costs a checkpoint: the same puts, with fsync, on one Redis by TCP and by TLS of loopback, in turn. */
import { emptyCheckpoint, uuid6 } from "@langchain/langgraph-checkpoint";
import { createAuthority, issueCertificate } from "../../lib/certificate.ts";
import { RedisSaver } from "../../lib/durable/saver.ts";
import { connectRedis } from "../../lib/edges/redis.ts";
import { freePort } from "../../test/free-port.ts";
import { PASSWORD, startSecureRedis } from "../../test/secure-redis.ts";
import { median, report } from "../harness.ts";

const PUTS = 2000;
const CONNECTIONS = 50;
const DAY_MS = 24 * 3_600_000;
/** What a put sends anew, as a page that a node has read. */
const PAGES = { "1 kB": "x".repeat(1000), "50 kB": "x".repeat(50_000) };

const now = new Date();
const authority = await createAuthority("bench", now, DAY_MS);
const port = await freePort();
const server = await startSecureRedis(await issueCertificate(["localhost"], now, DAY_MS, authority), [
  "--port",
  String(port),
]);
const WAYS = ["TCP", "TLS"] as const;
type Way = (typeof WAYS)[number];

const connectBy = (way: Way) =>
  way === "TCP"
    ? connectRedis(`redis://:${PASSWORD}@localhost:${port}`)
    : connectRedis(`rediss://:${PASSWORD}@localhost:${server.port}`, authority.certificate);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** In turn, so that both meet the same noise; a tenth more, not counted, warms up. */
async function compare(rounds: number, round: (way: Way, index: number) => Promise<number>): Promise<[number, number]> {
  const times: Record<Way, number[]> = { TCP: [], TLS: [] };
  for (let index = 0; index < rounds * 1.1; index++)
    for (const way of WAYS) {
      const ms = await round(way, index);
      if (index >= rounds * 0.1) times[way].push(ms);
    }
  return [median(times.TCP), median(times.TLS)];
}

const figuresOf = (what: string, [tcp, tls]: [number, number]) => [
  { figure: `${what}, TCP`, value: tcp, unit: "ms" },
  { figure: `${what}, TLS`, value: tls, unit: "ms" },
  { figure: `${what}, TLS over TCP`, value: tls / tcp, unit: "×" },
];

const figures = [];
try {
  for (const [size, page] of Object.entries(PAGES)) {
    const savers = { TCP: new RedisSaver(await connectBy("TCP")), TLS: new RedisSaver(await connectBy("TLS")) };
    const put = (way: Way, step: number) => {
      const checkpoint = {
        ...emptyCheckpoint(),
        id: uuid6(step),
        channel_values: { page },
        channel_versions: { page: step + 1 },
      };
      const config = { configurable: { thread_id: `${way}-${size}`, checkpoint_ns: "" } };
      const metadata = { source: "loop", step, parents: {} } as const;
      return timed(() => savers[way].put(config, checkpoint, metadata, { page: step + 1 }));
    };
    figures.push(...figuresOf(`a put of ${size}`, await compare(PUTS, put)));
  }
  const connection = (way: Way) => timed(async () => (await connectBy(way)).disconnect());
  figures.push(...figuresOf("a connection", await compare(CONNECTIONS, connection)));
  report("tls", figures);
} finally {
  await server.stop();
}
process.exit(0);
