import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { allSecretNames, missingSecrets, SECRET_NAMES, type SecretData } from "../../functions/setup/secrets.ts";
import { ensureSecrets } from "../../scripts/deploy/secrets.ts";

const MODEL = { apiKey: "sk", apiBase: "http://models" };
const NOW = new Date("2026-12-01T00:00:00Z");

type Secrets = ReadonlyMap<string, SecretData>;
/** What is there once the missing ones are made. */
async function completed(there: Secrets, names = SECRET_NAMES): Promise<Map<string, SecretData>> {
  const made = await missingSecrets(there, names, MODEL, NOW);
  return new Map([...there, ...made.map(({ name, data }) => [name, data] as const)]);
}
const without = (secrets: Secrets, ...names: string[]): Map<string, SecretData> =>
  new Map([...secrets].filter(([name]) => !names.includes(name)));

test("an empty cluster gets all of them, once", async () => {
  const secrets = await completed(new Map());
  expect([...secrets.keys()].toSorted()).toEqual(allSecretNames(SECRET_NAMES).toSorted());
  expect(await missingSecrets(secrets, SECRET_NAMES, MODEL, NOW)).toEqual([]);
});

test("whoever dies between two leaves what the next goes on from", async () => {
  const order = await missingSecrets(new Map(), SECRET_NAMES, MODEL, NOW);
  for (let made = 0; made <= order.length; made++) {
    const there = new Map(order.slice(0, made).map(({ name, data }) => [name, data]));
    const secrets = await completed(there);
    for (const [name, data] of there) expect(secrets.get(name)).toBe(data);
    const at = (name: string) => secrets.get(name) ?? {};
    const agent = at("agentic-agent");
    expect(agent["AWS_ACCESS_KEY_ID"]).toBe(at("agentic-store")["accessKey"]);
    expect(agent["AWS_SECRET_ACCESS_KEY"]).toBe(at("agentic-store")["secretKey"]);
    expect(agent["BROWSER_URL"]).toContain(`token=${at("agentic-browser")["token"]}`);
    expect(agent["LLM_API_KEY"]).toBe(at("agentic-litellm")["key"]);
    expect(agent["STEP_TOKEN_PUBLIC_KEY"]).toBe(at("agentic-public-keys")["STEP_TOKEN_PUBLIC_KEY"]);
    for (const name of ["STEP_TOKEN", "REVIEW_LINK"]) {
      const derived = createPublicKey(at("agentic-signing-keys")[`${name}_PRIVATE_KEY`] ?? "");
      expect(createPublicKey(at("agentic-public-keys")[`${name}_PUBLIC_KEY`] ?? "").equals(derived)).toBe(true);
    }
  }
});

test.each(["agentic-store", "agentic-browser", "agentic-litellm", "agentic-public-keys", "agentic-agent"])(
  "%s that was deleted comes back as it was",
  async (name) => {
    const secrets = await completed(new Map());
    expect((await completed(without(secrets, name))).get(name)).toEqual(secrets.get(name));
  },
);

test("keys that are lost are not replaced behind the back of whoever trusts them", async () => {
  const secrets = await completed(new Map());
  await expect(completed(without(secrets, "agentic-signing-keys"))).rejects.toThrow(
    "agentic-signing-keys is missing, and public halves of its keys are in agentic-public-keys and agentic-agent",
  );
});

test("a Secret of one's own is used, under its own name", async () => {
  const own = new Map([["s3-login", { accessKey: "me", secretKey: "secret" }]]);
  const secrets = await completed(own, { ...SECRET_NAMES, store: "s3-login" });
  expect(secrets.has("agentic-store")).toBe(false);
  expect(secrets.get("agentic-agent")).toMatchObject({ AWS_ACCESS_KEY_ID: "me", AWS_SECRET_ACCESS_KEY: "secret" });
});

test("one that lacks a key says which", async () => {
  const own = new Map([["agentic-store", { accessKey: "me" }]]);
  await expect(completed(own)).rejects.toThrow("the Secret agentic-store has no secretKey");
});

test("Redis' authority is made for years, and its key is the certificate's", async () => {
  const { "ca.crt": certificate = "", "ca.key": key = "" } = (await completed(new Map())).get("agentic-redis-ca") ?? {};
  const ca = new X509Certificate(certificate);
  expect(ca.ca).toBe(true);
  expect(ca.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(Date.parse(ca.validTo) - NOW.getTime()).toBeGreaterThan(9 * 365 * 24 * 3_600_000);
});

test("make deploy makes what is missing, and reads what is there", async () => {
  const secrets = new Map<string, SecretData>([["somebody-elses", { a: "b" }]]);
  const kubectl = async (args: readonly string[], input?: string): Promise<string> => {
    if (args.includes("create")) {
      const { metadata, stringData } = JSON.parse(input ?? "");
      secrets.set(metadata.name, stringData);
      return "";
    }
    const items = [...secrets].map(([name, data]) => ({
      metadata: { name },
      data: Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")])),
    }));
    return JSON.stringify({ items });
  };
  expect((await ensureSecrets(kubectl, MODEL)).toSorted()).toEqual(allSecretNames(SECRET_NAMES).toSorted());
  secrets.delete("agentic-agent");
  expect(await ensureSecrets(kubectl, MODEL)).toEqual(["agentic-agent"]);
  expect(await ensureSecrets(kubectl, MODEL)).toEqual([]);
});

test("the chart's setup may read each Secret that it looks for", () => {
  const template = readFileSync(new URL("../../charts/agentic/templates/setup.yaml", import.meta.url), "utf8");
  const byReference = new Set(Object.values(SECRET_NAMES));
  const named = allSecretNames(SECRET_NAMES).filter((name) => !byReference.has(name));
  expect(named).toContain("agentic-egress");
  expect(named.filter((name) => !template.includes(`      - ${name}\n`))).toEqual([]);
});
