import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";

export interface TestRedis {
  readonly url: string;
  readonly socket: string;
  readonly pid: number;
  /** kill -9, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on what is on disk. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A private redis-server on a Unix socket in a temporary folder, append-only file with fsync at each write; `more` options of its own. */
export async function startRedis(more: readonly string[] = []): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), "agentic-redis-"));
  const socket = join(folder, "redis.sock");
  let child = await launch(folder, socket, more);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return {
    url: `unix://${socket}`,
    socket,
    get pid() {
      return child.pid ?? 0;
    },
    kill,
    async restart() {
      child = await launch(folder, socket, more);
    },
    async stop() {
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function launch(folder: string, socket: string, more: readonly string[]): Promise<ChildProcess> {
  await rm(socket, { force: true });
  const child = spawn(
    "redis-server",
    [
      "--port",
      "0",
      "--unixsocket",
      socket,
      "--dir",
      folder,
      "--save",
      "",
      "--appendonly",
      "yes",
      "--appendfsync",
      "always",
      ...more,
    ],
    { stdio: "ignore" },
  );
  child.once("error", () => undefined);
  for (let waited = 0; waited < 60_000; waited += 20) {
    if (child.exitCode !== null) break;
    const probe = new Redis(socket, { lazyConnect: true, retryStrategy: null });
    probe.on("error", () => undefined);
    const answered = await probe.connect().then(
      () => probe.ping(),
      () => "",
    );
    probe.disconnect();
    if (answered === "PONG") return child;
    await sleep(20);
  }
  child.kill("SIGKILL");
  throw new Error("redis-server did not start: is it installed (make setup)?");
}
