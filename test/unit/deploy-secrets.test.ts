import { createPrivateKey, X509Certificate } from "node:crypto";
import { expect, test } from "vitest";
import { ensureSecrets } from "../../scripts/deploy/secrets.ts";

type Applied = { metadata: { name: string }; stringData: Record<string, string> };

/** What is applied to a cluster that has Secrets of these names. */
async function applied(there: readonly string[]): Promise<Map<string, Record<string, string>>> {
  const secrets = new Map<string, Record<string, string>>();
  const made = await ensureSecrets(
    async (args, input) => {
      if (args.includes("get")) return there.join(" ");
      const { metadata, stringData } = JSON.parse(input ?? "") as Applied;
      secrets.set(metadata.name, stringData);
      return "";
    },
    { apiKey: "sk", apiBase: "http://models" },
  );
  expect([...secrets.keys()]).toEqual(made);
  return secrets;
}

test("Redis' authority is made once, for years, and its key is the certificate's", async () => {
  const secrets = await applied([]);
  const { "ca.crt": certificate = "", "ca.key": key = "" } = secrets.get("agentic-redis-ca") ?? {};
  const ca = new X509Certificate(certificate);
  expect(ca.ca).toBe(true);
  expect(ca.checkPrivateKey(createPrivateKey(key))).toBe(true);
  expect(Date.parse(ca.validTo) - Date.now()).toBeGreaterThan(9 * 365 * 24 * 3_600_000);
  expect((await applied([...secrets.keys()])).size).toBe(0);
});

test("an installation without one gets it, and keeps its logins", async () => {
  const others = [...(await applied([])).keys()].filter((name) => name !== "agentic-redis-ca");
  expect([...(await applied(others)).keys()]).toEqual(["agentic-redis-ca"]);
});
