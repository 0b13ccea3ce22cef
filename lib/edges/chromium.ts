import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { RetryableError } from "../errors.ts";

export interface ChromiumOptions {
  /** Path of the program; absent: the first of the usual names on PATH. */
  readonly executable?: string | undefined;
}

/** A local Chromium that is started when it is asked for and started again when it has died. */
export interface Chromium {
  /**
   * The CDP address of the running process, e.g. http://127.0.0.1:40123. It differs after a restart.
   * @throws RetryableError BrowserUnavailable
   */
  endpoint(): Promise<string>;
  readonly pid: number | undefined;
  /** Its profiles and temporary files, and room for those of its clients. Removed when it is stopped. */
  readonly directory: string;
  /** Ends it with all of its children and removes its directory. */
  stop(): Promise<void>;
}

/** What Chromium is called on PATH, by distribution. */
export const CHROMIUM_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const START_TIMEOUT_MS = 20_000;
/** Then the pid of the process that made it, by which its successors know that nobody needs it any more. */
const DIRECTORY_PREFIX = "agentic-chromium-";

/** Nothing of a page may pass by the proxy, and the browser itself asks for nothing. */
const FLAGS = [
  "--headless=new",
  "--disable-gpu",
  "--hide-scrollbars",
  "--mute-audio",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-client-side-phishing-detection",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-extensions",
  "--disable-sync",
  "--disable-breakpad",
  "--disable-dev-shm-usage",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-ipc-flooding-protection",
  "--disable-quic",
  "--dns-prefetch-disable",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--disable-features=MediaRouter,OptimizationHints,Translate,DnsOverHttps,InterestFeedContentSuggestions,PaintHolding",
  // Only the proxy resolves names; what bypasses it finds nothing.
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  "--password-store=basic",
  "--use-mock-keychain",
  "--remote-debugging-port=0",
  // The pipe is not used. Chromium ends when it closes, so that it does not outlive a process that was killed.
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
    if (running !== undefined && current) await discard(current);
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

  const remove = () => rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 });
  await ensureInTurn().catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    endpoint: async () => (await ensureInTurn()).endpoint,
    get pid() {
      return pid;
    },
    directory,
    async stop() {
      stopped = true;
      await turn;
      const current = await running?.catch(() => undefined);
      if (current) await discard(current);
      await remove();
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

interface Running {
  readonly child: ChildProcess;
  readonly endpoint: string;
}

const alive = (child: ChildProcess) => child.exitCode === null && child.signalCode === null;

async function launch(directory: string, options: ChromiumOptions): Promise<Running> {
  const path = options.executable ?? (await findChromium());
  if (path === undefined)
    throw unavailable(`none of ${CHROMIUM_NAMES.join(", ")} is on the PATH; install Chromium or name its path`);
  const profile = await mkdtemp(join(directory, "profile-"));
  const flags = [
    ...FLAGS,
    // Chromium refuses its sandbox to root, which is who runs in most containers.
    ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    `--user-data-dir=${profile}`,
    "about:blank",
  ];
  const child = await spawnBrowser(path, flags, directory);
  const until = Date.now() + START_TIMEOUT_MS;
  while (alive(child) && Date.now() < until) {
    // Two lines: the port, and the path of the browser's own socket.
    const text = await readFile(join(profile, "DevToolsActivePort"), "utf8").catch(() => "");
    const port = /^(\d+)\n/.exec(text)?.[1];
    if (port) return { child, endpoint: `http://127.0.0.1:${port}` };
    await sleep(20);
  }
  const ended = alive(child) ? "gave no debugging port within 20 s" : `ended at once with code ${child.exitCode}`;
  await discard({ child, endpoint: "" });
  throw unavailable(ended);
}

/** In a process group of its own: Ctrl-C in a terminal does not reach it, and it can be ended with all of its children. */
async function spawnBrowser(path: string, args: readonly string[], temporary: string): Promise<ChildProcess> {
  const child = spawn(path, args, {
    stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"],
    detached: true,
    // biome-ignore lint/style/noProcessEnv: nothing is read here; the child gets what this process has
    env: { ...process.env, TMPDIR: temporary },
  });
  await new Promise<void>((resolve, reject) => {
    child.once("spawn", resolve);
    child.once("error", (cause) => reject(unavailable(`${path} does not start: ${cause.message}`)));
  });
  for (const pipe of child.stdio.slice(3)) {
    pipe?.on("error", () => undefined);
    if (pipe && "resume" in pipe) pipe.resume();
  }
  return child;
}

async function discard({ child }: Running): Promise<void> {
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
