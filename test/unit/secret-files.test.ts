import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changedIn, untilSecretsChange } from "../../lib/edges/secret-files.ts";

describe("what of the files is a change", () => {
  test.each([
    ["all as at the start", { A: "1" }, { A: "1" }, { A: "1" }, []],
    ["another value", { A: "2" }, { A: "1" }, { A: "1" }, ["A"]],
    ["a variable that the process was started without", { A: "1", B: "1" }, { A: "1" }, { A: "1" }, ["B"]],
    ["the environment is ahead of the file, which follows", { A: "2" }, { A: "1" }, { A: "2" }, []],
    ["the environment is ahead of the file, which is still behind", { A: "1" }, { A: "1" }, { A: "2" }, []],
    ["an env of the container's own, which stays", { A: "1" }, { A: "1" }, { A: "own" }, []],
    ["a Secret that somebody deleted", {}, { A: "1" }, { A: "1" }, []],
    ["a variable of no Secret", { A: "1" }, { A: "1" }, { A: "1", HOME: "/" }, []],
    ["several", { B: "2", A: "2" }, { A: "1", B: "1" }, { A: "1", B: "1" }, ["A", "B"]],
  ])("%s", (_, now, first, environment, changed) => {
    expect(changedIn(now, first, environment)).toEqual(changed);
  });
});

describe("a folder as the kubelet keeps it", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "agentic-secrets-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const log = pino({ level: "silent" });
  /** What happens between looks, one after the other. @returns what had changed, and after how many looks */
  async function looks(environment: Record<string, string>, ...between: (() => Promise<unknown>)[]) {
    let slept = 0;
    const changed = await untilSecretsChange({ folder, environment, everyMs: 1, log }, async () =>
      between[slept++]?.(),
    );
    return { changed, slept };
  }
  const put = (name: string, value: string) => async () => {
    await writeFile(join(folder, "..new"), value);
    await rename(join(folder, "..new"), join(folder, name));
  };

  test("a change is one when two looks say the same: what comes with it is seen, too", async () => {
    await put("A", "1")();
    await symlink("A", join(folder, "..data"));
    expect(await looks({ A: "1", B: "1" }, put("B", "1"), put("A", "2"), put("B", "2"))).toEqual({
      changed: ["A", "B"],
      slept: 4,
    });
  });

  test("what is taken back in time is none", async () => {
    await put("A", "1")();
    expect(await looks({ A: "1" }, put("A", "2"), put("A", "1"), put("A", "1"), put("A", "3"))).toMatchObject({
      changed: ["A"],
      slept: 5,
    });
  });

  test("a folder that is not there yet is looked at again", async () => {
    await rm(folder, { recursive: true });
    const made = async () => {
      const { mkdir } = await import("node:fs/promises");
      await mkdir(folder);
      await put("A", "1")();
    };
    expect(await looks({ A: "0" }, made, put("A", "2"))).toMatchObject({ changed: ["A"] });
  });
});
