import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readFile, rm } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { sha256 } from "../../engine/canonical.ts";
import { Interrupted } from "./interrupted.ts";

export interface RedisServer {
  readonly url: string;
  /** Resolves with the reason when the server ends although nobody stopped it. */
  readonly died: Promise<Interrupted>;
  stop(): Promise<void>;
}

/**
 * Starts a private redis-server on a Unix socket in `folder`, which holds its append-only file. A server that a killed command left
 * running is used again: the caller holds the folder's lock, so no other command uses it.
 * @throws Interrupted when it does not start
 */
export async function startRedisServer(folder: string): Promise<RedisServer> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const socket = await socketPath(folder);
  const log = join(folder, "redis.log");
  let died: Promise<Interrupted> = new Promise(() => {});
  if (!(await answers(socket))) {
    await rm(socket, { force: true });
    ({ died } = await launch(folder, socket, log));
  }
  return {
    url: `unix://${socket}`,
    died,
    // By its socket, not by pid: an earlier command may have started the server.
    stop: () => shutdown(socket),
  };
}

async function launch(folder: string, socket: string, log: string): Promise<{ died: Promise<Interrupted> }> {
  const child = spawn(
    "redis-server",
    [
      ...["--port", "0", "--unixsocket", socket, "--unixsocketperm", "700"],
      ...["--dir", folder, "--logfile", log, "--daemonize", "no", "--save", ""],
      // A finished step is on disk before it is acknowledged.
      ...["--appendonly", "yes", "--appendfsync", "always"],
    ],
    // A process group of its own: Ctrl-C in the terminal reaches only the command, which stops the server after its steps.
    { stdio: "ignore", detached: true },
  );
  const ended = once(child, "exit").then(async ([code, signal]) => {
    const how = `redis-server ended (${signal ?? `exit code ${code}`})`;
    if (signal) return new Interrupted("RedisLost", how);
    const last = await endOf(log);
    // It exits at the first write to its file that does not fit.
    return /No space left|Short write/.test(last)
      ? noSpace(folder, how)
      : new Interrupted("RedisLost", `${how}; the end of ${log}:\n${last}`);
  });
  const failed = once(child, "error").then(([error]) => {
    throw new Interrupted(
      "RedisMissing",
      `redis-server does not start: ${(error as Error).message}; run 'agentic doctor'`,
    );
  });
  failed.catch(() => {});
  child.unref();
  // Anything but kill -9 that ends this process, a second Ctrl-C included, ends the server too.
  const end = (): void => void child.kill();
  process.once("exit", end);
  child.once("exit", () => process.off("exit", end));
  let running = true;
  void ended.then(() => {
    running = false;
  });
  // The server answers once it has loaded its append-only file, which may be large.
  for (let waited = 0; waited < 30_000; waited += 20) {
    if (await Promise.race([answers(socket), failed])) return { died: ended };
    if (!running) throw await ended;
    await sleep(20);
  }
  throw new Interrupted("RedisFailed", `redis-server did not answer within 30 s; see ${log}`);
}

export function noSpace(folder: string, cause: unknown): Interrupted {
  return new Interrupted("NoSpace", `no space is left on the disk of ${folder}: free some, then run again`, { cause });
}

async function endOf(log: string): Promise<string> {
  return (await readFile(log, "utf8").catch(() => "")).trim().split("\n").slice(-3).join("\n");
}

/** sockaddr_un holds 108 bytes (unix(7)): a deep folder gets its socket under the temporary folder. */
async function socketPath(folder: string): Promise<string> {
  const inFolder = join(folder, "redis.sock");
  if (Buffer.byteLength(inFolder) < 104) return inFolder;
  const short = join(tmpdir(), `agentic-${sha256(folder).slice(0, 16)}`);
  await mkdir(short, { recursive: true, mode: 0o700 });
  return join(short, "redis.sock");
}

async function answers(socket: string): Promise<boolean> {
  return (await say(socket, "PING\r\n")).startsWith("+PONG");
}

async function shutdown(socket: string): Promise<void> {
  await say(socket, "SHUTDOWN NOSAVE\r\n");
  for (let waited = 0; waited < 5000 && (await answers(socket)); waited += 20) await sleep(20);
}

/** Sends one inline command. @returns the answer, or "" when nobody listens */
function say(socket: string, command: string): Promise<string> {
  return new Promise((resolve) => {
    const connection = createConnection(socket, () => connection.write(command));
    connection.once("data", (data) => {
      resolve(data.toString());
      connection.destroy();
    });
    connection.once("error", () => resolve(""));
    connection.once("close", () => resolve(""));
    connection.setTimeout(2000, () => connection.destroy());
  });
}
