import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { NO_USAGE, type StepResult } from "../../engine/result.ts";
import { createResultStore, type ResultStore } from "../../lib/durable/results.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { RetryableError } from "../../lib/errors.ts";

const W = { namespace: "team", uid: "uid" };
const OTHER = { namespace: "team", uid: "other" };
const RESULT: StepResult = {
  outcome: "succeeded",
  data: { z: 1, a: [{ y: 2, b: 3 }] },
  artifacts: { b: "2", a: "1" },
  usage: NO_USAGE,
};
const DIGEST = sha256(canonicalJson(RESULT));

let folder: string;
let reads: string[];
let artifacts: Artifacts;
let results: ResultStore;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-results-"));
  const real = createFolderArtifacts(folder);
  reads = [];
  artifacts = {
    ...real,
    get(workload, key) {
      reads.push(key);
      return real.get(workload, key);
    },
  };
  results = createResultStore(artifacts);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("results", () => {
  test("of another workload are none, though they have the same bytes", async () => {
    await results.put(W, RESULT);
    expect(await results.get(OTHER, DIGEST)).toBeUndefined();
    expect(await results.get(W, DIGEST)).toEqual(RESULT);
  });

  test("are stored as canonical JSON under its digest, in the workload's scope", async () => {
    expect(await results.put(W, RESULT)).toBe(DIGEST);
    expect(await readFile(join(folder, "team/uid", `${DIGEST}.json`), "utf8")).toBe(canonicalJson(RESULT));
    const reordered = { ...RESULT, artifacts: { a: "1", b: "2" } };
    expect(await results.put(W, reordered)).toBe(DIGEST);
    expect(await readdir(join(folder, "team/uid"))).toHaveLength(1);
  });

  test("come back the same, byte for byte, from memory and from the store", async () => {
    await results.put(W, RESULT);
    const [cached, read] = [await results.get(W, DIGEST), await createResultStore(artifacts).get(W, DIGEST)];
    expect(cached).toEqual(RESULT);
    expect(JSON.stringify(read)).toBe(JSON.stringify(cached));
  });

  test("are read from the store once", async () => {
    await results.put(W, RESULT);
    const other = createResultStore(artifacts);
    for (let i = 0; i < 3; i++) await other.get(W, DIGEST);
    await results.get(W, DIGEST);
    expect(reads).toEqual([`team/uid/${DIGEST}.json`]);
  });

  test("take a bounded amount of memory", async () => {
    const digests: string[] = [];
    for (let i = 0; i < 12; i++) {
      const items = Array.from({ length: 250 }, (_, at) => `${i} ${at} ${"x".repeat(4000)}`);
      digests.push(await results.put(W, { ...RESULT, items }));
    }
    for (const digest of digests.toReversed()) expect(await results.get(W, digest)).toBeDefined();
    expect(reads.length).toBeGreaterThanOrEqual(4);
    expect(reads).not.toContain(`team/uid/${digests.at(-1)}.json`);
  });

  test("whose bytes are gone, broken, another scope's or no result are not there", async () => {
    const broken = await results.put(W, { ...RESULT, output: "broken" });
    await writeFile(join(folder, "team/uid", `${broken}.json`), "{");
    const report = sha256('{"a":"report"}');
    await artifacts.put(W, '{"a":"report"}', "json");
    const text = sha256("no JSON");
    await artifacts.put(W, "no JSON", "json");
    await results.put(OTHER, { ...RESULT, output: "another's" });
    const others = sha256(canonicalJson({ ...RESULT, output: "another's" }));
    const fresh = createResultStore(artifacts);
    for (const digest of ["0".repeat(64), broken, report, text, others, "", `../other/${others}`])
      expect(await fresh.get(W, digest)).toBeUndefined();
  });

  test("a store that is away is not one that lost them", async () => {
    const away = async (): Promise<never> => {
      throw new RetryableError("ArtifactStoreUnavailable", "away");
    };
    const broken = createResultStore({ ...artifacts, get: away });
    await expect(broken.get(W, DIGEST)).rejects.toMatchObject({ reason: "ArtifactStoreUnavailable" });
  });
});
