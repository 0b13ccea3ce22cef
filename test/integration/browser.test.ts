import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectBrowser } from "../../lib/edges/browser.ts";
import { type Chromium, startChromium } from "../../lib/edges/chromium.ts";

const never = new AbortController().signal;

describe("Chromium by its pipe", () => {
  let chromium: Chromium;
  beforeAll(async () => {
    chromium = await startChromium();
  });
  afterAll(() => chromium.stop());

  /** Each has one while it runs. */
  const profiles = () => readdirSync(chromium.directory).filter((name) => name.startsWith("profile-"));
  const pidOf = (profile: string): number | undefined => {
    const folder = join(chromium.directory, profile);
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const line = commandLine(pid);
      if (line.includes(`--user-data-dir=${folder}`) && !line.some((flag) => flag.startsWith("--type=")))
        return Number(pid);
    }
    return undefined;
  };
  const commandLine = (pid: string): string[] => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    } catch {
      return [];
    }
  };

  test("opens no port, and only its owner reads its folder", async () => {
    const browser = connectBrowser(chromium.open, chromium.directory);
    expect(await browser.userAgent()).toMatch(/Chrome\//);
    const [profile = ""] = profiles();
    expect(readdirSync(join(chromium.directory, profile))).not.toContain("DevToolsActivePort");
    expect(commandLine(String(pidOf(profile))).filter((flag) => flag.startsWith("--remote-debugging"))).toEqual([
      "--remote-debugging-pipe",
    ]);
    for (const folder of [chromium.directory, join(chromium.directory, profile)])
      expect(statSync(folder).mode & 0o777).toBe(0o700);
    await browser.close();
    await expect.poll(profiles).toEqual([]);
  });

  test("carries messages of megabytes, and many at once", async () => {
    const browser = connectBrowser(chromium.open, chromium.directory);
    const answers = await browser.withContext({}, never, async (context) => {
      const page = await context.newPage();
      const sizes = [1, 3_000_000, 0, 70_000, 1_000_000];
      const texts = await Promise.all(sizes.map((size) => page.evaluate((n) => "ä".repeat(n), size)));
      return texts.map((text, index) => text === "ä".repeat(sizes[index] ?? -1));
    });
    expect(answers).toEqual([true, true, true, true, true]);
    await browser.close();
  });

  test("that does not come in time holds up no step that is to stop, and is given back when it comes after all", async () => {
    const opened = Promise.withResolvers<void>();
    const open = async () => {
      await opened.promise;
      return chromium.open();
    };
    const browser = connectBrowser(open, chromium.directory, { contexts: 1, idleMs: 30_000 });
    const stop = new AbortController();
    const visit = browser.withContext({}, stop.signal, async () => "visited");
    stop.abort(new Error("the step's deadline"));
    await expect(visit).rejects.toThrow("the step's deadline");
    // One of another test may still end.
    await expect.poll(profiles, { timeout: 10_000 }).toEqual([]);
    opened.resolve();
    // Worn after its one context, which nobody used: it ends when that is given back.
    await expect.poll(() => profiles().length).toBe(1);
    await expect.poll(profiles, { timeout: 10_000 }).toEqual([]);
    await browser.close();
  });

  test("is started again when it has died", async () => {
    const browser = connectBrowser(chromium.open, chromium.directory);
    await browser.userAgent();
    const pid = pidOf(profiles()[0] ?? "");
    if (pid === undefined) throw new Error("Chromium has no process");
    process.kill(pid, "SIGKILL");
    const title = await browser.withContext({}, never, async (context) => (await context.newPage()).title());
    expect(title).toBe("");
    await browser.close();
  });

  test("is replaced after so many contexts, and stays until the last of them has been closed", async () => {
    let started = 0;
    const open = () => {
      started++;
      return chromium.open();
    };
    const browser = connectBrowser(open, chromium.directory, { contexts: 2, idleMs: 60_000 });
    const done = Promise.withResolvers<void>();
    const lent = Promise.withResolvers<void>();
    const long = browser.withContext({}, never, async (context) => {
      const page = await context.newPage();
      lent.resolve();
      await done.promise;
      return page.evaluate("6 * 7");
    });
    await lent.promise;
    const visit = () => browser.withContext({}, never, async () => started);
    expect([await visit(), await visit(), await visit()]).toEqual([1, 2, 2]);
    expect(await visit()).toBe(3);
    // The one that was just begun, and the one with a context that is still open.
    await expect.poll(() => profiles().length).toBe(2);
    done.resolve();
    expect(await long).toBe(42);
    await expect.poll(() => profiles().length).toBe(1);
    await browser.close();
  });

  test("is given back when nobody has used it for a while, and not before; the next use starts another", async () => {
    const browser = connectBrowser(chromium.open, chromium.directory, { contexts: 100, idleMs: 500 });
    const visit = (ms: number) =>
      browser.withContext({}, never, async (context) => {
        const page = await context.newPage();
        await sleep(ms);
        return page.evaluate("6 * 7");
      });
    const begun = visit(2000);
    expect(await visit(0)).toBe(42);
    const [first] = profiles();
    expect(await begun).toBe(42);
    expect(profiles()).toEqual([first]);
    await expect.poll(profiles).toEqual([]);
    expect(await visit(0)).toBe(42);
    await browser.close();
  });

  test("that is stopped ends, whoever still uses it, and does not start again", async () => {
    const own = await startChromium();
    const browser = connectBrowser(own.open, own.directory);
    await browser.userAgent();
    await own.stop();
    expect(readdirSync(tmpdir())).not.toContain(basename(own.directory));
    await expect(own.open()).rejects.toMatchObject({
      reason: "BrowserUnavailable",
      message: "Chromium: it was stopped",
    });
  });

  test("that is stopped while one starts leaves none behind", async () => {
    const own = await startChromium();
    const starting = own.open();
    await Promise.all([own.stop(), expect(starting).rejects.toMatchObject({ reason: "BrowserUnavailable" })]);
    const left = readdirSync("/proc").filter((pid) => commandLine(pid).some((flag) => flag.includes(own.directory)));
    expect(left).toEqual([]);
    expect(readdirSync(tmpdir())).not.toContain(basename(own.directory));
  });
});

describe("a Chromium that does not start says why", () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "agentic-browser-"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each(["open", "endpoint"] as const)("no usable sandbox, by %s", async (how) => {
    const executable = join(folder, "chromium");
    writeFileSync(executable, "#!/bin/sh\necho 'FATAL: No usable sandbox! Update your kernel' >&2\nkill -ABRT $$\n", {
      mode: 0o755,
    });
    const chromium = await startChromium({ executable });
    await expect(chromium[how]()).rejects.toMatchObject({
      reason: "BrowserUnavailable",
      message: expect.stringMatching(/ended at once with signal SIGABRT: it found no usable sandbox/),
    });
    await chromium.stop();
  });

  test("no program", async () => {
    const chromium = await startChromium({ executable: join(folder, "none") });
    await expect(chromium.open()).rejects.toMatchObject({
      message: expect.stringMatching(/none does not start: .*ENOENT/),
    });
    await chromium.stop();
  });
});

/** As anybody but root, whom Chromium refuses its sandbox: root in the test's namespace may read the same files. */
const asOrdinaryUser = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"] as const;
const runAsOrdinaryUser = (...command: readonly string[]): string => {
  const [program = "", ...args] = process.getuid?.() === 0 ? [...asOrdinaryUser, ...command] : command;
  return execFileSync(program, args, { encoding: "utf8" });
};
/** Chrome's sandbox is made of them, and not every machine lends them. */
const hasUserNamespaces = (() => {
  try {
    runAsOrdinaryUser("unshare", "--user", "true");
    return true;
  } catch {
    return false;
  }
})();

test.skipIf(!hasUserNamespaces)("a user who is not root has Chrome's own sandbox", () => {
  const worker = new URL("sandbox-worker.ts", import.meta.url).pathname;
  expect(runAsOrdinaryUser(process.execPath, worker)).toMatch(/PID namespaces Yes .* You are adequately sandboxed\./);
});

describe("a pool that is full", () => {
  let pool: Server;
  let asked: number;
  beforeEach(async () => {
    asked = 0;
    pool = createServer().on("upgrade", (_, socket) => {
      asked++;
      socket.end("HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 4\r\n\r\nfull");
    });
    await once(pool.listen(0, "127.0.0.1"), "listening");
  });
  afterEach(() => pool.close());

  test("is not pressed: the step comes again later, and it costs none of its attempts", async () => {
    const url = `ws://127.0.0.1:${(pool.address() as AddressInfo).port}/chromium?token=secret`;
    const error = await connectBrowser(() => url)
      .userAgent()
      .then(
        () => undefined,
        (reason: Error) => reason,
      );
    expect(error).toMatchObject({ reason: "BrowserPoolFull", countsAsAttempt: false, retryAfterSeconds: 5 });
    expect(error?.message).not.toContain("secret");
    expect(asked).toBe(1);
  });
});
