import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { publicKeys } from "../../lib/keys.ts";

const pemOf = (): string => generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }).toString();

test("a setting holds one key, or several one after the other", () => {
  const pems = [pemOf(), pemOf()];
  expect(publicKeys("KEYS", pems[0])).toHaveLength(1);
  const exported = publicKeys("KEYS", pems.join("\n")).map((key) => key.export({ type: "spki", format: "pem" }));
  expect(exported).toEqual(pems);
});

test.each([undefined, "", "no PEM"])("%j is none", (pem) => {
  expect(() => publicKeys("KEYS", pem)).toThrow("KEYS is not set: it is the PEM of the public key");
});
