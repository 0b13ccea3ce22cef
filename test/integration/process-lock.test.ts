import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lockFolder } from "../../cli/local/process-lock.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-lock-"));
  path = join(folder, "lock");
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Another process that takes the lock and sits on it. */
async function holder(): Promise<{ pid: number; kill(): Promise<void> }> {
  const script = `import { lockFolder } from ${JSON.stringify(new URL("../../cli/local/process-lock.ts", import.meta.url).href)};
    const lock = await lockFolder(${JSON.stringify(path)}, new Date());
    console.log("release" in lock ? "mine" : "held");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  expect(said.toString().trim()).toBe("mine");
  return {
    pid: child.pid ?? 0,
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("the folder's lock", () => {
  test("names who holds it, and is free again after a kill -9", async () => {
    const first = await holder();
    expect(await lockFolder(path, new Date())).toMatchObject({ heldBy: { pid: first.pid } });
    await first.kill();
    const second = await lockFolder(path, new Date());
    expect(second).toHaveProperty("release");
  });

  test("of many takers one wins", async () => {
    const taken = await Promise.all(Array.from({ length: 8 }, () => lockFolder(path, new Date())));
    expect(taken.filter((lock) => "release" in lock)).toHaveLength(1);
  });

  test("of many takers of a dead holder's lock one wins", async () => {
    await (await holder()).kill();
    const taken = await Promise.all(Array.from({ length: 8 }, () => lockFolder(path, new Date())));
    expect(taken.filter((lock) => "release" in lock)).toHaveLength(1);
  });

  test("is released, and taken again", async () => {
    const lock = await lockFolder(path, new Date());
    if (!("release" in lock)) throw new Error("not taken");
    await lock.release();
    expect(await lockFolder(path, new Date())).toHaveProperty("release");
  });

  test("a file that is no lock of ours does not block", async () => {
    await writeFile(path, "half written");
    expect(await lockFolder(path, new Date())).toHaveProperty("release");
  });
});
