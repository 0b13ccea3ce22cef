import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Artifacts, createFolderArtifacts, digestOf } from "../../lib/edges/artifacts.ts";

let folder: string;
let artifacts: Artifacts;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-artifacts-"));
  artifacts = createFolderArtifacts(folder);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("artifacts in a folder", () => {
  test("bytes come back as they were, whatever they are", async () => {
    const bytes = new Uint8Array(256).map((_, i) => i);
    const key = await artifacts.put("uid", bytes, "png");
    expect(key).toBe(`uid/${digestOf(key)}.png`);
    expect(new Uint8Array(await artifacts.get(key))).toEqual(bytes);
  });

  test("the same bytes have the same key", async () => {
    expect(await artifacts.put("uid", "x", "txt")).toBe(await artifacts.put("uid", "x", "txt"));
  });

  test("what a crash left half written is written again", async () => {
    const key = await artifacts.put("uid", "whole", "txt");
    await writeFile(join(folder, key), "wh");
    await expect(artifacts.get(key)).rejects.toMatchObject({ reason: "ArtifactCorrupt" });
    await artifacts.put("uid", "whole", "txt");
    expect(new TextDecoder().decode(await artifacts.get(key))).toBe("whole");
  });

  test.each([
    ["missing", `uid/${"0".repeat(64)}.txt`, "ArtifactMissing"],
    ["no key", "../../etc/passwd", "InvalidArtifactKey"],
  ])("%s", async (_name, key, reason) => {
    await expect(artifacts.get(key)).rejects.toMatchObject({ name: "TerminalError", reason });
  });

  test("a store that takes nothing is trouble that may pass, and names the cause", async () => {
    await writeFile(join(folder, "uid"), "a file where a folder belongs");
    await expect(artifacts.put("uid", "x", "txt")).rejects.toMatchObject({
      name: "RetryableError",
      reason: "ArtifactStoreUnavailable",
    });
  });
});
