import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { ConnectOverCDPTransport } from "playwright-core";
import { RetryableError } from "../errors.ts";
import { cdpByPipe, firstAnswer } from "./cdp-pipe.ts";
import { chromiumFlags } from "./chromium-flags.ts";

export interface ChromiumOptions {
  /** Path of the program; absent: the first of the usual names on PATH. */
  readonly executable?: string | undefined;
}

/** Chromium on this machine. */
export interface Chromium {
  /**
   * Starts one that is reached by a pipe: by nobody but the caller. It ends when the transport is closed.
   * @throws RetryableError BrowserUnavailable
   */
  open(): Promise<ConnectOverCDPTransport>;
  /**
   * The CDP address of one for other processes, e.g. http://127.0.0.1:40123: whoever reaches the port can use it. It is started when it is
   * asked for, and started again, with another address, when it has died.
   * @throws RetryableError BrowserUnavailable
   */
  endpoint(): Promise<string>;
  /** Of the one with an address. */
  readonly pid: number | undefined;
  /** Its profiles and temporary files, and room for those of its clients. Removed when it is stopped. */
  readonly directory: string;
  /** Ends all of them with their children, and removes the directory. */
  stop(): Promise<void>;
}

/** What Chromium is called on PATH, by distribution. */
export const CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const START_TIMEOUT_MS = 20_000;
/** Characters. */
const MAX_SAID = 10_000;
/** Then the pid of the process that made it, by which its successors know that nobody needs it any more. */
const DIRECTORY_PREFIX = "agentic-chromium-";

const FLAGS = [
  "--headless=new",
  ...chromiumFlags(["localhost", "127.0.0.1"]),
  // Chromium ends when its pipe closes, so that it does not outlive a process that was killed.
  "--remote-debugging-pipe",
];

/** The path of the first of the usual names on PATH. */
async function findChromium(): Promise<string | undefined> {
  for (const name of CHROMIUM_NAMES) {
    const found = await promisify(execFile)("sh", ["-c", 'command -v "$0"', name]).catch(() => undefined);
    const path = found?.stdout.trim();
    if (path) return path;
  }
  return undefined;
}

export async function startChromium(options: ChromiumOptions = {}): Promise<Chromium> {
  let running: Promise<Running> | undefined;
  let stopped = false;
  let pid: number | undefined;
  await sweep();
  // Not in a folder of the caller's: Chromium makes a Unix socket there, and sockaddr_un holds 108 bytes (unix(7)).
  const directory = await mkdtemp(join(tmpdir(), `${DIRECTORY_PREFIX}${process.pid}-`));

  const ensure = async (): Promise<Running> => {
    if (stopped) throw unavailable("it was stopped");
    const current = await running?.catch(() => undefined);
    if (current && alive(current.child)) return current;
    // Several callers may find it dead at once: the first starts it, the others wait for the same start.
    if (running !== undefined && current) await discard(current.child);
    running = launch(directory, options);
    const started = await running;
    pid = started.child.pid;
    return started;
  };
  let turn: Promise<unknown> = Promise.resolve();
  const ensureInTurn = (): Promise<Running> => {
    const mine = turn.then(ensure);
    turn = mine.catch(() => undefined);
    return mine;
  };

  /** Those that start, too: they are stopped with the others. */
  const piped = new Set<Promise<Started>>();
  return {
    async open() {
      if (stopped) throw unavailable("it was stopped");
      const starting = start(directory, options);
      piped.add(starting);
      const forget = () => piped.delete(starting);
      starting.catch(forget);
      const started = await starting;
      started.child.once("exit", () => {
        forget();
        rm(started.profile, REMOVE).catch(() => undefined);
      });
      const transport = cdpByPipe(started.child, () => void discard(started.child));
      await untilReady(started, () => firstAnswer(transport));
      return transport;
    },
    endpoint: async () => (await ensureInTurn()).endpoint,
    get pid() {
      return pid;
    },
    directory,
    async stop() {
      stopped = true;
      await turn;
      const current = await running?.catch(() => undefined);
      const opened = await Promise.allSettled(piped);
      const children = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value.child] : []));
      await Promise.all([...children, ...(current ? [current.child] : [])].map(discard));
      await rm(directory, REMOVE);
    },
  };
}

/** Removes what processes that were killed have left. */
async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const maker = new RegExp(`^${DIRECTORY_PREFIX}(\\d+)-`).exec(name)?.[1];
    if (maker !== undefined && !processExists(Number(maker)))
      await rm(join(tmpdir(), name), { recursive: true, force: true });
  }
}

function processExists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

const REMOVE = { recursive: true, force: true, maxRetries: 5, retryDelay: 50 };

interface Running {
  readonly child: ChildProcess;
  readonly endpoint: string;
}

const alive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

/** One with a port. */
async function launch(directory: string, options: ChromiumOptions): Promise<Running> {
  const started = await start(directory, options, "--remote-debugging-port=0");
  const { child, profile } = started;
  for (const pipe of child.stdio.slice(3)) if (pipe && "resume" in pipe) pipe.resume();
  const port = await untilReady(started, async () => {
    for (;;) {
      // Two lines: the port, and the path of the browser's own socket.
      const text = await readFile(join(profile, "DevToolsActivePort"), "utf8").catch(() => "");
      const found = /^(\d+)\n/.exec(text)?.[1];
      if (found || !alive(child)) return found;
      await sleep(20);
    }
  });
  return { child, endpoint: `http://127.0.0.1:${port}` };
}

interface Started {
  readonly child: ChildProcess;
  readonly profile: string;
  /** The beginning of what it complained of. */
  readonly said: () => string;
}

async function start(directory: string, options: ChromiumOptions, ...more: readonly string[]): Promise<Started> {
  const path = options.executable ?? (await findChromium());
  if (path === undefined)
    throw unavailable(`none of ${CHROMIUM_NAMES.join(", ")} is on the PATH; install Chromium or name its path`);
  const profile = await mkdtemp(join(directory, "profile-"));
  const sandbox = sandboxIsOff() ? ["--no-sandbox"] : [];
  const flags = [...FLAGS, ...more, ...sandbox, `--user-data-dir=${profile}`, "about:blank"];
  const child = await spawnBrowser(path, flags, directory);
  let said = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    if (said.length < MAX_SAID) said += chunk.toString();
  });
  return { child, profile, said: () => said };
}

/** @throws RetryableError BrowserUnavailable; the process has ended then */
async function untilReady<T>({ child, said }: Started, look: () => Promise<T>): Promise<T> {
  const late = new AbortController();
  const ended = alive(child) ? once(child, "close", { signal: late.signal }).catch(() => undefined) : undefined;
  const timeout = sleep(START_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => undefined);
  try {
    const ready = await Promise.race([look().then((found) => ({ found })), ended, timeout]);
    if (ready && "found" in ready && alive(child)) return ready.found;
  } finally {
    late.abort();
  }
  const why = /No usable sandbox/.test(said()) ? NO_SANDBOX : "";
  const detail = alive(child) ? "gave no answer within 20 s" : `ended at once with ${endOf(child)}${why}`;
  await discard(child);
  throw unavailable(detail);
}

const NO_SANDBOX =
  ": it found no usable sandbox, which wants user namespaces for everybody (sysctl kernel.unprivileged_userns_clone=1 or kernel.apparmor_restrict_unprivileged_userns=0; in a container, a seccomp profile such as config/seccomp/chrome.json)";

const endOf = ({ exitCode, signalCode }: ChildProcess): string =>
  signalCode === null ? `code ${exitCode}` : `signal ${signalCode}`;

/** Chromium refuses its sandbox to root, which is who runs in most containers. */
export const sandboxIsOff = (): boolean => process.getuid?.() === 0;

/** In a process group of its own: Ctrl-C in a terminal does not reach it, and it can be ended with all of its children. */
async function spawnBrowser(path: string, args: readonly string[], temporary: string): Promise<ChildProcess> {
  const child = spawn(path, args, {
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
    detached: true,
    // biome-ignore lint/style/noProcessEnv: nothing is read here; the child gets what this process has
    env: { ...process.env, TMPDIR: temporary },
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(unavailable(`${path} does not start: ${cause.message}`)));
  });
  // It may be gone when something is written to it.
  for (const pipe of child.stdio.slice(3)) pipe?.on("error", () => undefined);
  return child;
}

async function discard(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  const ended = alive(child) ? new Promise((resolve) => child.once("exit", resolve)) : undefined;
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // The group is gone already.
  }
  await ended;
}

function unavailable(detail: string): RetryableError {
  return new RetryableError("BrowserUnavailable", `Chromium: ${detail}`, {
    retryAfterSeconds: 2,
    countsAsAttempt: false,
  });
}
