import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { isSeq, parseAllDocuments } from "yaml";

const BYTES: Readonly<Record<string, number>> = { mb: 2 ** 20, gb: 2 ** 30, Mi: 2 ** 20, Gi: 2 ** 30 };

function bytesOf(amount: unknown): number {
  const [, number = "", unit = ""] = /^(\d+)(\w+)$/.exec(String(amount)) ?? [];
  return Number(number) * (BYTES[unit] ?? Number.NaN);
}

test("the cluster's Redis says that it is full before its container is killed for memory, and deletes nothing by itself", async () => {
  const path = new URL("../../config/redis.yaml", import.meta.url);
  const documents = parseAllDocuments(await readFile(path, "utf8"));
  const deployment = documents.find((document) => document.get("kind") === "Deployment");
  const container = ["spec", "template", "spec", "containers", 0];
  const args = deployment?.getIn([...container, "args"]);
  const words: unknown[] = isSeq(args) ? args.toJSON() : [];
  const settingOf = (name: string) => words[words.indexOf(`--${name}`) + 1];
  expect(settingOf("maxmemory-policy")).toBe("noeviction");
  const limit = bytesOf(deployment?.getIn([...container, "resources", "limits", "memory"]));
  expect(bytesOf(settingOf("maxmemory"))).toBeLessThanOrEqual(0.65 * limit);
});
