import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { isSeq, parseAllDocuments } from "yaml";

const BYTES: Readonly<Record<string, number>> = { mb: 2 ** 20, gb: 2 ** 30, Mi: 2 ** 20, Gi: 2 ** 30 };

function bytesOf(amount: unknown): number {
  const [, number = "", unit = ""] = /^(\d+)(\w+)$/.exec(String(amount)) ?? [];
  return Number(number) * (BYTES[unit] ?? Number.NaN);
}

const textOf = (file: string) => readFile(new URL(`../../${file}`, import.meta.url), "utf8");
const deployment = parseAllDocuments(await textOf("config/redis.yaml")).find(
  (document) => document.get("kind") === "Deployment",
);
const container = ["spec", "template", "spec", "containers", 0];
const args = deployment?.getIn([...container, "args"]);
const words: unknown[] = isSeq(args) ? args.toJSON() : [];
const settingOf = (name: string) => words[words.indexOf(`--${name}`) + 1];

test("the cluster's Redis says that it is full before its container is killed for memory, and deletes nothing by itself", () => {
  expect(settingOf("maxmemory-policy")).toBe("noeviction");
  const limit = bytesOf(deployment?.getIn([...container, "resources", "limits", "memory"]));
  expect(bytesOf(settingOf("maxmemory"))).toBeLessThanOrEqual(0.65 * limit);
});

test("it listens by TLS only, under a name of its certificate, and is looked for by TLS only", async () => {
  expect(settingOf("port")).toBe("0");
  expect(settingOf("tls-port")).toBe("6379");
  expect(settingOf("tls-auth-clients")).toBe("no");
  const urls = (await textOf("eventing/functions.yaml")).match(/\w+:\/\/\S+:6379/g) ?? [];
  expect(urls).toHaveLength(2);
  const [host] = /(?<=REDIS_SERVED_AS = \[")[^"]+/.exec(await textOf("compose-admit.ts")) ?? [];
  for (const url of urls)
    expect(new URL(url.replaceAll(/\$\(\w+\)/g, "password"))).toMatchObject({ protocol: "rediss:", hostname: host });
});
