import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Cluster } from "../../../cli/kubectl/cluster.ts";
import { usage, usageProblems } from "../../../cli/kubectl/usage.ts";
import { usageText } from "../../../cli/usage.ts";
import { NO_ACCOUNTS } from "../../../lib/quota/accounts.ts";
import { usageFile } from "../../../lib/usage/file.ts";
import type { UsageRecord } from "../../../lib/usage/record.ts";

const record = (over: Partial<UsageRecord> = {}): UsageRecord => ({
  version: 1,
  namespace: "team-a",
  workload: "demo",
  uid: "uid-1",
  part: "run-r1-1",
  run: "r1",
  pipeline: "agentic-system/p",
  ended: "ended",
  month: "2026-11",
  recordedAt: "2026-11-30T23:00:00.000Z",
  items: 3,
  browserMs: 1500,
  models: [
    { model: "gpt", calls: 2, inputTokens: 100, cachedInputTokens: 40, outputTokens: 7, nanoUsd: 12_500 },
    { model: "other", calls: 1, inputTokens: 1, cachedInputTokens: 0, outputTokens: 1, nanoUsd: 100 },
  ],
  unsettledNanoUsd: 0,
  reported: { inputTokens: 0, outputTokens: 0, nanoUsd: 0 },
  lacks: [],
  results: { counted: [], models: [] },
  ...over,
});
const RECORDS = [
  record({ uid: "uid-2", namespace: "team-b", models: [] }),
  record(),
  record({ part: "rest", items: 0 }),
];

const { privateKey } = generateKeyPairSync("ed25519");
const pem = createPublicKey(privateKey).export({ format: "pem", type: "spki" }).toString();
const keys = [createPublicKey(privateKey)];

let out = "";
let err = "";
beforeEach(() => {
  [out, err] = ["", ""];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += text;
    return true;
  });
});
afterEach(() => vi.restoreAllMocks());

describe("usage is printed", () => {
  test("as a table, by month and namespace", () => {
    expect(usageText("table", RECORDS)).toMatchInlineSnapshot(`
      "MONTH     NAMESPACE   RUNS   ITEMS   BROWSER   CALLS   IN    CACHED   OUT   USD         UNSETTLED
      2026-11   team-a      1      3       3.0s      6       202   80       16    $0.000025   $0.000000
      2026-11   team-b      1      3       1.5s      0       0     0        0     $0.000000   $0.000000
      total                 2      6       4.5s      6       202   80       16    $0.000025   $0.000000
      "
    `);
  });

  test("as CSV, a line a record, numbers without exponents", () => {
    const [head, ...lines] = usageText("csv", [record({ unsettledNanoUsd: 1 })]).split("\r\n");
    expect(head?.split(",").slice(-9).join()).toBe(
      "items,browserSeconds,calls,inputTokens,cachedInputTokens,outputTokens,usd,unsettledUsd,reportedUsd",
    );
    expect(lines).toEqual([
      '"2026-11-30T23:00:00.000Z","2026-11","team-a","demo","uid-1","run-r1-1","r1","agentic-system/p","ended",3,1.5,3,101,40,8,0.0000126,0.000000001,0',
      "",
    ]);
  });

  test("as JSON, with models and records; as CloudEvents", () => {
    const document = JSON.parse(usageText("json", RECORDS));
    expect(document.namespaces).toMatchObject([
      {
        namespace: "team-a",
        runs: 1,
        items: 3,
        models: [{ model: "gpt", calls: 4, usd: 0.000025 }, { model: "other" }],
      },
      { namespace: "team-b", runs: 1, models: [] },
    ]);
    expect([document.total.usd, document.records.length]).toEqual([0.0000252, 3]);
    expect(JSON.parse(usageText("cloudevents", RECORDS))).toMatchObject([
      { id: "uid-1-rest", subject: "team-a", specversion: "1.0", type: "dev.agentic.usage.recorded" },
      { id: "uid-1-run-r1-1", data: { usd: 0.0000126 } },
      { id: "uid-2-run-r1-1", subject: "team-b" },
    ]);
  });
});

describe("kubectl agentic usage", () => {
  async function run(
    options: Partial<Parameters<typeof usage>[1]>,
    over: { recorded?: Record<string, number>; files?: string[] } = {},
  ) {
    const files = over.files ?? (await Promise.all(RECORDS.map((one) => usageFile(one, privateKey))));
    const asked: unknown[] = [];
    const cluster = {
      usage: async (...args: unknown[]) => {
        asked.push(args);
        return { files, broken: [] };
      },
      usageProof: async () => ({
        publicKeys: pem,
        accounts: { ...NO_ACCOUNTS, recorded: over.recorded ?? { "2026-11": 2 } },
      }),
    } as unknown as Cluster;
    const code = await usage(cluster, { output: "csv", ...options }, new Date("2026-11-30T23:59:59Z"));
    return { code, asked };
  }

  test("is of this month and namespace, or of those that are named", async () => {
    expect(await run({})).toEqual({ code: 0, asked: [["2026-11", false]] });
    expect(out.split("\r\n")).toHaveLength(5);
    expect(await run({ month: "2026-01", allNamespaces: true })).toEqual({ code: 0, asked: [["2026-01", true]] });
    expect(await run({ month: "Nov" })).toEqual({ code: 2, asked: [] });
  });

  test("--verify holds where all records are signed and none is missing", async () => {
    expect((await run({ allNamespaces: true, verify: true })).code).toBe(0);
    expect(err).toContain("2026-11: 3 records, all signed, none missing");
    expect((await run({ verify: true })).code).toBe(2);
    const missing = await run({ allNamespaces: true, verify: true }, { recorded: { "2026-11": 3 } });
    expect([missing.code, err]).toEqual([1, expect.stringContaining("1 of 3 records of runs are missing")]);
  });

  test("an edited, a forged and an unsigned record are named, and do not stand in for one that is missing", async () => {
    const file = await usageFile(record(), privateKey);
    const forged = await usageFile(record({ uid: "forged" }), generateKeyPairSync("ed25519").privateKey);
    const problems = await usageProblems(
      { files: [file, forged, await usageFile(record({ uid: "plain" }))], broken: ["k"] },
      keys,
      2,
    );
    expect(problems).toEqual([
      "k is not as reconcile wrote it",
      expect.stringContaining("team-a/demo (forged/run-r1-1) is not signed"),
      expect.stringContaining("team-a/demo (plain/run-r1-1) is not signed"),
      "1 of 2 records of runs are missing",
    ]);
    expect(await usageProblems({ files: [file], broken: [] }, [], 1)).toEqual([
      expect.stringContaining("signs no records"),
    ]);
  });
});
