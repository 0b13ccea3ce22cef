import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { createPagePool, PAGE_LIMITS, type PagePool } from "../../functions/analyze/page-pool.ts";
import { ENDLESS, LARGE_PAGE, SLOW_PAGE } from "../slow-pages.ts";
import { PAGE } from "./tidy.ts";

const WORKER = fileURLToPath(new URL("./page-pool-worker.ts", import.meta.url));
const IDLE_MS = 1_500;
const never = new AbortController().signal;

/** The processes that read pages, of the process given. */
function processesOf(pid: number | undefined): number[] {
  const listed = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" });
  return listed.split("\n").flatMap((line) => {
    const [, child, parent, args = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return Number(parent) === pid && args.includes("page-process") ? [Number(child)] : [];
  });
}
const processes = (): number[] => processesOf(process.pid);

/** Waits as long as a busy machine needs. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

function read(pool: PagePool, html: string, signal = never) {
  const page = {
    html,
    url: "http://tidy.test/",
    title: "Tidy",
    description: "",
    screenshot: "u/s.png",
    at: "2026-11-20T10:00:00.000Z",
  };
  return pool.run("extract", [page], signal);
}

afterEach(() => until(() => processes().length === 0));

const pool = (over: Partial<typeof PAGE_LIMITS> = {}) => createPagePool({ ...PAGE_LIMITS, ...over }, IDLE_MS);

describe("a page", () => {
  test("is read in a process of its own, which is there when it is needed and used again", async () => {
    const pages = pool();
    expect(processes()).toEqual([]);
    expect(await read(pages, PAGE)).toMatchObject({ name: "Tidy", offers: [{ name: "Weekly" }, { name: "Daily" }] });
    const first = processes();
    expect(first).toHaveLength(1);
    expect(await read(pages, PAGE)).toMatchObject({ name: "Tidy" });
    expect(processes()).toEqual(first);
  });

  test("finds nothing of the function's environment there", async () => {
    await read(pool(), PAGE);
    const [pid] = processes();
    const environment = await readFile(`/proc/${pid}/environ`, "utf8");
    // The channel to the function.
    expect(environment.split("\0").filter((line) => line !== "" && !line.startsWith("NODE_CHANNEL_"))).toEqual([]);
  });

  test("that takes too long fails for good, and is done with", async () => {
    const pages = pool({ timeoutMs: 1_000 });
    await expect(read(pages, SLOW_PAGE)).rejects.toMatchObject({
      name: "TerminalError",
      reason: "ExtractionTimedOut",
      message: expect.stringContaining("within 1 s"),
    });
    await until(() => processes().length === 0);
    expect(await read(pages, PAGE)).toMatchObject({ name: "Tidy" });
  });

  test.each([
    ["a heap", LARGE_PAGE, /48 MB/],
    ["a stack", `<div class="${"a ".repeat(900_000)}">x</div>`, /stack/],
  ])("that takes too much of %s fails for good, alone", async (_what, html, message) => {
    // Collecting garbage in a larger one takes a busy machine too long.
    const pages = pool({ timeoutMs: 100_000, heapMb: 48 });
    const others = Promise.all(Array.from({ length: 6 }, () => read(pages, PAGE)));
    await expect(read(pages, html)).rejects.toMatchObject({
      name: "TerminalError",
      reason: "ExtractionTooLarge",
      message: expect.stringMatching(message),
    });
    expect(await others).toHaveLength(6);
    expect(await read(pages, PAGE)).toMatchObject({ name: "Tidy" });
  });
});

describe("the processes", () => {
  test("fit into the function's pod, full", async () => {
    const reading = read(pool({ timeoutMs: 100_000 }), LARGE_PAGE);
    let peakKb = 0;
    let done = false;
    reading
      .catch(() => undefined)
      .finally(() => {
        done = true;
      });
    while (!done) {
      for (const pid of processes()) {
        const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
        peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0));
      }
      await sleep(20);
    }
    await expect(reading).rejects.toMatchObject({ reason: "ExtractionTooLarge" });
    // Two, beside 288 MB for the function itself.
    expect(peakKb / 1024).toBeLessThan(240);
    expect(peakKb / 1024).toBeGreaterThan(128);
  });

  test("are two at most", async () => {
    const pages = pool();
    let most = 0;
    let done = false;
    const all = Promise.all(Array.from({ length: 12 }, () => read(pages, PAGE))).finally(() => {
      done = true;
    });
    await until(() => {
      most = Math.max(most, processes().length);
      return done;
    });
    await all;
    expect(most).toBe(2);
  });

  test("are not ended as idle when they are used again", async () => {
    const pages = pool({ timeoutMs: 2 * IDLE_MS });
    await read(pages, PAGE);
    await expect(pages.run("merge", ENDLESS, never)).rejects.toMatchObject({ reason: "ExtractionTimedOut" });
  });

  test("end when the step is aborted", async () => {
    const aborting = new AbortController();
    const endless = pool({ timeoutMs: 600_000 }).run("merge", ENDLESS, aborting.signal);
    endless.catch(() => undefined);
    await until(() => processes().length === 1);
    aborting.abort(new Error("draining"));
    await expect(endless).rejects.toThrow("draining");
    await until(() => processes().length === 0);
  });

  test("are not asked for a step that is aborted", async () => {
    const pages = pool();
    await read(pages, PAGE);
    const waiting = processes();
    await expect(read(pages, PAGE, AbortSignal.abort(new Error("draining")))).rejects.toThrow("draining");
    await read(pages, PAGE);
    expect(processes()).toEqual(waiting);
  });

  test("what waits for them ends when it is aborted, and they go on", async () => {
    const pages = pool({ timeoutMs: 4_000 });
    const slow = [read(pages, SLOW_PAGE), read(pages, SLOW_PAGE)];
    for (const one of slow) one.catch(() => undefined);
    await until(() => processes().length === 2);
    await expect(read(pages, PAGE, AbortSignal.timeout(10))).rejects.toThrow(/timeout/);
    expect(processes()).toHaveLength(2);
    for (const one of slow) await expect(one).rejects.toMatchObject({ reason: "ExtractionTimedOut" });
  });

  test("that somebody kills cost an attempt of the page that was read, and no more", async () => {
    const pages = pool();
    await read(pages, PAGE);
    // The same process, so that it begins at once.
    const reading = pages.run("merge", ENDLESS, never);
    reading.catch(() => undefined);
    await sleep(1_000);
    process.kill(processes()[0] ?? 0, "SIGKILL");
    await expect(reading).rejects.toMatchObject({
      name: "RetryableError",
      reason: "ExtractionEnded",
      countsAsAttempt: true,
    });
    expect(await read(pages, PAGE)).toMatchObject({ name: "Tidy" });
    // Without work.
    process.kill(processes()[0] ?? 0, "SIGKILL");
    await until(() => processes().length === 0);
    await sleep(50);
    expect(await read(pages, PAGE)).toMatchObject({ name: "Tidy" });
  });

  test("that cannot start are no fault of the page", async () => {
    const unavailable = { name: "RetryableError", reason: "ExtractionUnavailable", countsAsAttempt: false };
    await expect(read(pool({ heapMb: 1 }), PAGE)).rejects.toMatchObject(unavailable);
    const { execPath } = process;
    onTestFinished(() => {
      process.execPath = execPath;
    });
    process.execPath = "/there/is/no/such/program";
    await expect(read(pool(), PAGE)).rejects.toMatchObject(unavailable);
  });

  test("end by themselves when the function is killed while they read", async () => {
    const child = spawn(process.execPath, [WORKER], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const [orphan = 0] = processesOf(child.pid);
    onTestFinished(() => void (isAlive(orphan) && process.kill(orphan, "SIGKILL")));
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(isAlive(orphan)).toBe(true);
    await until(() => !isAlive(orphan));
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
