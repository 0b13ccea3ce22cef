import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { sha256 } from "../../engine/canonical.ts";
import type { S3Settings } from "../../lib/edges/artifacts/s3-client.ts";
import { type Artifacts, createFolderArtifacts, digestOf, openArtifacts } from "../../lib/edges/artifacts.ts";
import { BUILD_MS } from "../cluster/built.ts";
import { startStore, type TestStore } from "../store-server.ts";

const W = { namespace: "team", uid: "uid" };
const W2 = { namespace: "team", uid: "uid-2" };

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

let store: TestStore;
let temporary: string;
let bucket = "";
let buckets = 0;
beforeAll(async () => {
  store = await startStore();
}, BUILD_MS);
afterAll(() => store.stop());
beforeEach(async () => {
  temporary = await mkdtemp(join(tmpdir(), "agentic-artifacts-"));
  bucket = `artifacts-${++buckets}`;
});
afterEach(() => rm(temporary, { recursive: true, force: true }));

const inBucket = (s3: Partial<S3Settings> = {}): Promise<Artifacts> =>
  openArtifacts({ url: `s3://${bucket}`, s3: { ...store.s3, ...s3 } });

/** Both keep an object as a file under its key: `root` is the folder that the keys start in. */
const STORES = [
  ["a folder", async () => ({ artifacts: createFolderArtifacts(temporary), root: temporary })],
  ["an S3 server", async () => ({ artifacts: await inBucket(), root: join(store.folder, bucket) })],
] as const;

describe.each(STORES)("artifacts in %s", (_name, create) => {
  let artifacts: Artifacts;
  let root: string;
  beforeEach(async () => {
    ({ artifacts, root } = await create());
  });
  const text = async (key: string): Promise<string> => textOf(await artifacts.get(W, key));

  test.each([
    ["every byte", new Uint8Array(256).map((_, i) => i)],
    ["no byte", new Uint8Array()],
    ["3 MB", new Uint8Array(randomBytes(3_000_000))],
  ])("bytes come back as they were: %s", async (_case, bytes) => {
    const key = await artifacts.put(W, bytes, "png");
    expect(key).toBe(`team/uid/${sha256(bytes)}.png`);
    expect(digestOf(key)).toBe(sha256(bytes));
    expect(sha256(await artifacts.get(W, key))).toBe(sha256(bytes));
  });

  test("the same bytes are stored once", async () => {
    const key = await artifacts.put(W, "x", "txt");
    const first = await stat(join(root, key));
    expect(await artifacts.put(W, "x", "txt")).toBe(key);
    expect((await stat(join(root, key))).ino).toBe(first.ino);
    expect(await readdir(join(root, "team/uid"))).toHaveLength(1);
  });

  test.each([
    ["truncated", (path: string) => truncate(path, 2)],
    ["emptied", (path: string) => truncate(path)],
    ["changed, of the same length", (path: string) => writeFile(path, "wrong")],
  ])("an object that was %s is refused, and replaced by the next put", async (_case, damage) => {
    const key = await artifacts.put(W, "whole", "txt");
    await damage(join(root, key));
    await expect(artifacts.get(W, key)).rejects.toMatchObject({ name: "TerminalError", reason: "ArtifactCorrupt" });
    await artifacts.put(W, "whole", "txt");
    expect(await text(key)).toBe("whole");
  });

  test("an object of which only a part is there for a moment is read again", async () => {
    const key = await artifacts.put(W, "whole", "txt");
    await truncate(join(root, key), 2);
    const completed = sleep(50).then(() => writeFile(join(root, key), "whole"));
    const [read] = await Promise.all([text(key), completed]);
    expect(read).toBe("whole");
  });

  test.each([
    ["an object that nobody stored", `team/uid/${"0".repeat(64)}.txt`, "ArtifactMissing"],
    ["another workload's object", `team/uid-2/${sha256("x")}.txt`, "InvalidArtifactKey"],
    ["another namespace's object", `team-2/uid/${sha256("x")}.txt`, "InvalidArtifactKey"],
    ["a path outside the store", `../team/uid/${"0".repeat(64)}.txt`, "InvalidArtifactKey"],
    ["a path that leaves its scope", `team/uid/../../${"0".repeat(64)}.txt`, "InvalidArtifactKey"],
    ["no hash", "team/uid/etc.txt", "InvalidArtifactKey"],
  ])("get of %s", async (_case, key, reason) => {
    await expect(artifacts.get(W, key)).rejects.toMatchObject({ name: "TerminalError", reason });
    for (const one of [W, W2, { ...W, namespace: "team-2" }]) await artifacts.put(one, "x", "txt");
    await expect(artifacts.get(W, key)).rejects.toMatchObject({ name: "TerminalError", reason });
  });

  test.each([
    { namespace: "", uid: "uid" },
    { namespace: "team", uid: "" },
    { namespace: "..", uid: "uid" },
    { namespace: "team", uid: ".." },
    { namespace: "team", uid: "." },
    { namespace: "team", uid: "uid/.." },
    { namespace: "team/uid", uid: "uid" },
    { namespace: "Team", uid: "uid" },
  ])("$namespace/$uid names no workload", async (nobody) => {
    const kept = await artifacts.put(W, "x", "txt");
    await expect(artifacts.put(nobody, "x", "txt")).rejects.toMatchObject({ reason: "InvalidArtifactKey" });
    await expect(artifacts.drop(nobody)).rejects.toMatchObject({ reason: "InvalidArtifactKey" });
    expect(await text(kept)).toBe("x");
  });

  test("drop removes a scope and leaves the others", async () => {
    await artifacts.drop(W);
    const [gone, kept] = [await artifacts.put(W, "x", "txt"), await artifacts.put(W2, "x", "txt")];
    await artifacts.drop(W);
    await expect(artifacts.get(W, gone)).rejects.toMatchObject({ reason: "ArtifactMissing" });
    expect(textOf(await artifacts.get(W2, kept))).toBe("x");
    await artifacts.drop(W);
  });

  test("drop removes 1,200 objects, and one that somebody else put there", async () => {
    const first = await artifacts.put(W, "x", "txt");
    for (let i = 1; i < 1200; i++) await writeFile(join(root, `team/uid/${sha256(String(i))}.txt`), String(i));
    await writeFile(join(root, "team/uid", `a&b <c> "d" 'e'.txt`), "");
    await artifacts.drop(W);
    expect(existsSync(dirname(join(root, first)))).toBe(false);
  });

  test("a reader never meets a part of what two writers store", async () => {
    const seen = new Set<string>();
    for (let round = 0; round < 12; round++) {
      const bytes = randomBytes(3_000_000);
      const key = `team/uid/${sha256(bytes)}.png`;
      let writing = true;
      const writers = [0, 1 + (round % 6)].map(async (delay) => {
        await new Promise((resolve) => setTimeout(resolve, delay));
        await artifacts.put(W, bytes, "png");
        expect(sha256(await artifacts.get(W, key))).toBe(sha256(bytes));
      });
      const reader = async (): Promise<void> => {
        while (writing) {
          seen.add(
            await artifacts.get(W, key).then(
              () => "whole",
              (error) => String(error.reason ?? error),
            ),
          );
        }
      };
      const reading = reader();
      await Promise.all(writers).finally(() => {
        writing = false;
      });
      await reading;
    }
    seen.delete("ArtifactMissing");
    expect([...seen]).toEqual(["whole"]);
  });
});

describe("a folder", () => {
  test("only this user can read what is stored, and nothing else is left behind", async () => {
    const key = await createFolderArtifacts(join(temporary, "artifacts")).put(W, "x", "txt");
    const modeOf = async (path: string): Promise<number> => (await stat(join(temporary, path))).mode & 0o777;
    expect(await modeOf(`artifacts/${key}`)).toBe(0o600);
    expect(await Promise.all(["artifacts", "artifacts/team", "artifacts/team/uid"].map(modeOf))).toEqual([
      0o700, 0o700, 0o700,
    ]);
    expect(await readdir(join(temporary, "artifacts/team/uid"))).toHaveLength(1);
  });

  test("the file is synced before it gets its name, then each folder that got a new name", async () => {
    const path = join(temporary, `artifacts/team/uid/${sha256("x")}.txt`);
    const probe = await open(temporary);
    const handle = Object.getPrototypeOf(probe);
    await probe.close();
    const named: boolean[] = [];
    const { sync } = handle;
    vi.spyOn(handle, "sync").mockImplementation(function (this: unknown) {
      named.push(existsSync(path));
      return sync.call(this);
    });
    try {
      const artifacts = createFolderArtifacts(join(temporary, "artifacts"));
      await artifacts.put(W, "x", "txt");
      expect(named.splice(0)).toEqual([false, true, true, true, true]);
      await artifacts.put(W, "y", "txt");
      expect(named).toHaveLength(2);
    } finally {
      vi.restoreAllMocks();
    }
  });

  test("what cannot be written is trouble that may pass", async () => {
    await writeFile(join(temporary, "team"), "a file where a folder belongs");
    await expect(createFolderArtifacts(temporary).put(W, "x", "txt")).rejects.toMatchObject({
      name: "RetryableError",
      reason: "ArtifactStoreUnavailable",
      cause: { code: "ENOTDIR" },
    });
  });

  test.skipIf(process.getuid?.() !== 0)("a full disk is told as such, and leaves no draft", async ({ skip }) => {
    const disk = join(temporary, "disk");
    await mkdir(disk);
    try {
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], { stdio: "ignore" });
    } catch {
      skip("this machine lets root mount nothing");
    }
    try {
      const artifacts = createFolderArtifacts(disk);
      await expect(artifacts.put(W, randomBytes(2_000_000), "png")).rejects.toMatchObject({
        name: "RetryableError",
        reason: "ArtifactStoreUnavailable",
        cause: { code: "ENOSPC" },
      });
      expect(await readdir(join(disk, "team/uid"))).toEqual([]);
      await artifacts.put(W, randomBytes(800_000), "png");
    } finally {
      execFileSync("umount", [disk]);
    }
  });
});

describe("an S3 server", () => {
  test("a bucket that is missing is created, by eight first writers at once too", async () => {
    const keys = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => (await inBucket()).put(W, String(i), "txt")),
    );
    const artifacts = await inBucket();
    for (const [i, key] of keys.entries())
      expect(new TextDecoder().decode(await artifacts.get(W, key))).toBe(String(i));
  });

  test("a bucket in another region is created by its name, as AWS wants it", async () => {
    const elsewhere = await startStore("eu-central-1");
    const sent: string[] = [];
    const between = await forwardTo(elsewhere.s3.endpoint, (body) => {
      sent.push(body.toString());
      return body;
    });
    try {
      const artifacts = await openArtifacts({ url: "s3://agentic", s3: { ...elsewhere.s3, endpoint: between.url } });
      const key = await artifacts.put(W, "x", "txt");
      expect(new TextDecoder().decode(await artifacts.get(W, key))).toBe("x");
      expect(sent.join("\n")).toContain("<LocationConstraint>eu-central-1</LocationConstraint>");
    } finally {
      between.server.close();
      await elsewhere.stop();
    }
  });

  test("a server that ended is trouble that may pass, and passes when it is back", async () => {
    const artifacts = await inBucket();
    const key = await artifacts.put(W, "x", "txt");
    await store.kill();
    try {
      for (const call of [() => artifacts.put(W, "y", "txt"), () => artifacts.get(W, key), () => artifacts.drop(W)])
        await expect(call()).rejects.toMatchObject({
          name: "RetryableError",
          reason: "ArtifactStoreUnavailable",
          message: expect.stringContaining("ECONNREFUSED"),
        });
    } finally {
      await store.restart();
    }
    expect(new TextDecoder().decode(await artifacts.get(W, key))).toBe("x");
  });

  test("a server that hangs is given up, before its answer or in the middle of it", async () => {
    const stopped = await inBucket();
    const half = await listen((_incoming, outgoing) => {
      outgoing.writeHead(200, { "content-length": 100 });
      outgoing.write("half");
    });
    const halfway = await inBucket({ endpoint: half.url });
    setFlagsFromString("--expose-gc");
    const collecting = setInterval(runInNewContext("gc"), 500);
    process.kill(store.pid, "SIGSTOP");
    try {
      const calls = [stopped.put(W, "x", "txt"), halfway.get(W, `team/uid/${sha256("x")}.txt`)];
      for (const { reason } of (await Promise.allSettled(calls)) as PromiseRejectedResult[])
        expect(reason).toMatchObject({
          name: "RetryableError",
          reason: "ArtifactStoreUnavailable",
          message: expect.stringContaining("no complete answer within 10 s"),
        });
    } finally {
      process.kill(store.pid, "SIGCONT");
      clearInterval(collecting);
      half.server.close();
    }
  });

  const UNAVAILABLE = { name: "RetryableError", reason: "ArtifactStoreUnavailable", countsAsAttempt: false };
  const REFUSED = { name: "TerminalError", reason: "StoreRefused" };
  test.each([
    // A login that was replaced looks like this until its user has the next one: no step fails for it.
    ["secret", { secretAccessKey: "not-the-secret" }, "SignatureDoesNotMatch", UNAVAILABLE],
    ["login", { accessKeyId: "nobody" }, "InvalidAccessKeyId", UNAVAILABLE],
    ["region", { region: "eu-west-1" }, "AuthorizationHeaderMalformed", REFUSED],
  ])("a wrong %s is told by the settings to check, without any secret", async (_case, wrong, code, expected) => {
    const artifacts = await inBucket(wrong);
    const key = `team/uid/${sha256("x")}.txt`;
    for (const call of [() => artifacts.put(W, "x", "txt"), () => artifacts.get(W, key), () => artifacts.drop(W)]) {
      const error = await call().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(expected);
      const all = inspect(error, { depth: 9 });
      expect(all).toContain(code);
      for (const setting of ["S3_ENDPOINT", "S3_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", bucket])
        expect(all).toContain(setting);
      expect(all).not.toContain("not-the-secret");
      expect(all).not.toContain(store.s3.secretAccessKey);
    }
  });

  test("bytes that change on the way are not stored", async () => {
    const artifacts = await inBucket();
    await artifacts.put(W, "x", "txt");
    const changing = await forwardTo(store.s3.endpoint, (body) => Buffer.from(body.map((byte) => byte ^ 1)));
    try {
      const through = await inBucket({ endpoint: changing.url });
      await expect(through.put(W, "y", "txt")).rejects.toMatchObject({ name: "TerminalError" });
      await expect(artifacts.get(W, `team/uid/${sha256("y")}.txt`)).rejects.toMatchObject({
        reason: "ArtifactMissing",
      });
    } finally {
      changing.server.close();
    }
  });
});

describe("a server that fails for a while", () => {
  const BODY = "x";
  const KEY = `team/uid/${sha256(BODY)}.txt`;

  /** Answers with each of these in turn, and with the object from then on. `broken`: half of it, then nothing. */
  async function failing(failures: readonly (number | "broken")[]) {
    let asked = 0;
    const { server, url } = await listen((incoming, outgoing) => {
      const failure = failures[asked++];
      incoming.resume();
      if (failure === "broken") {
        outgoing.writeHead(200, { "content-length": 100 });
        outgoing.write(BODY, () => outgoing.destroy());
      } else if (failure !== undefined)
        outgoing.writeHead(failure, { location: "/" }).end("<Error><Code>SlowDown</Code></Error>");
      else outgoing.end(BODY);
    });
    return { artifacts: await inBucket({ endpoint: url }), asked: () => asked, server };
  }

  test.each([[[500]], [[503, 503, 429]], [["broken", 502]]] as const)("%j is asked again", async (failures) => {
    const { artifacts, asked, server } = await failing(failures);
    expect(new TextDecoder().decode(await artifacts.get(W, KEY))).toBe(BODY);
    expect(asked()).toBe(failures.length + 1);
    server.close();
  });

  test.each([
    [503, 4, "RetryableError", "ArtifactStoreUnavailable"],
    [507, 4, "RetryableError", "ArtifactStoreUnavailable"],
    [403, 1, "TerminalError", "StoreRefused"],
    [301, 1, "TerminalError", "StoreRefused"],
  ])("%i each time: asked %i times", async (status, times, name, reason) => {
    const { artifacts, asked, server } = await failing(Array.from({ length: 10 }, () => status));
    const message = expect.stringContaining(`${status} SlowDown`);
    await expect(artifacts.get(W, KEY)).rejects.toMatchObject({ name, reason, message });
    expect(asked()).toBe(times);
    server.close();
  });
});

test.each([
  ["redis://:hidden@localhost", {}, "file:///folder or s3://bucket"],
  ["s3://", {}, "must name a bucket"],
  ["s3://bucket/below", {}, "nothing below it"],
  ["s3://bucket", undefined, "set S3_ENDPOINT"],
  ["s3://bucket", { endpoint: "http://agentic:hidden@localhost" }, "S3_ENDPOINT holds a login"],
  ["s3://bucket", { secretAccessKey: "hidden\n" }, "AWS_SECRET_ACCESS_KEY is empty or holds a space"],
  ["s3://bucket", { accessKeyId: "hidden\n" }, "AWS_ACCESS_KEY_ID is empty or holds a space"],
])("%s with %j is refused at once", async (url, s3, message) => {
  const opened = openArtifacts({ url, ...(s3 ? { s3: { ...store.s3, ...s3 } } : {}) });
  const error = await opened.catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ message: expect.stringContaining(message) });
  expect(inspect(error)).not.toContain("hidden");
});

async function listen(answer: Parameters<typeof createServer>[1]): Promise<{ server: Server; url: string }> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A server that passes requests on, with their bodies changed. */
function forwardTo(endpoint: string, change: (body: Buffer) => Buffer): Promise<{ server: Server; url: string }> {
  return listen(async (incoming, outgoing) => {
    const { method, headers, url } = incoming;
    const body = change(await buffer(incoming));
    const onward = request(endpoint + url, { method, headers }, (answer) => {
      answer.pipe(outgoing.writeHead(answer.statusCode ?? 500));
    });
    onward.end(body);
  });
}
