import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { freePort } from "../free-port.ts";
import { installRedisStack } from "./install.ts";

export interface TestRedisStack {
  /** redis://, as upstream's client knows no Unix sockets. */
  readonly url: string;
  readonly socket: string;
  stop(): Promise<void>;
}

/** A private server with JSON and search, append-only file with fsync at each write; `more` options of its own. */
export async function startRedisStack(more: readonly string[] = []): Promise<TestRedisStack> {
  const { server, modules } = await installRedisStack();
  const folder = await mkdtemp(join(tmpdir(), "agentic-redis-stack-"));
  const socket = join(folder, "redis.sock");
  const port = await freePort();
  const durable = ["--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always"];
  const address = ["--bind", "127.0.0.1", "--port", String(port), "--unixsocket", socket];
  const loaded = modules.flatMap((module) => ["--loadmodule", module]);
  const child = spawn(server, [...address, ...durable, ...more, ...loaded], { stdio: "ignore" });
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  };
  const url = `redis://127.0.0.1:${port}`;
  const probe = new Redis(socket, { retryStrategy: () => 20, maxRetriesPerRequest: null });
  probe.on("error", () => undefined);
  const answer = await Promise.race([
    probe.ping(),
    sleep(60_000, "", { ref: false }),
    once(child, "exit").then(() => ""),
  ]);
  probe.disconnect();
  if (answer === "PONG") return { url, socket, stop };
  await stop();
  throw new Error("the server with Redis' JSON and search modules did not start");
}
