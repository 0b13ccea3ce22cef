import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { licenceFile } from "../../../lib/edges/licence-file.ts";
import { LICENCE_TYPE } from "../../../lib/licence/licence.ts";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const KEYS = JSON.stringify({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "test" }] });
const claims = (plan: string) => ({ iss: "tests", sub: "ACME", plan, iat: 0, nbf: 0, exp: 1, grace: 0, limits: {} });
const signed = (plan: string): Promise<string> =>
  new SignJWT(claims(plan)).setProtectedHeader({ alg: "EdDSA", typ: LICENCE_TYPE, kid: "test" }).sign(privateKey);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-licence-"));
});
afterAll(() => rm(folder, { recursive: true }));

test("a licence that comes, is renewed and goes is read as it is, as the kubelet replaces it", async () => {
  const [file, data] = [join(folder, "licence"), join(folder, "data")];
  const read = licenceFile(file, KEYS);
  expect(await read()).toBeUndefined();
  await symlink(data, file);
  expect(await read()).toBeUndefined();
  for (const plan of ["team", "company"]) {
    await writeFile(data, await signed(plan));
    expect(await read()).toEqual(claims(plan));
    expect(await read()).toEqual(claims(plan));
  }
  await rm(data);
  expect(await read()).toBeUndefined();
});

test("what cannot be read says so, and keys that are wrong; nothing throws", async () => {
  const file = join(folder, "other");
  await writeFile(file, await signed("team"));
  expect(await licenceFile(folder, KEYS)()).toEqual({ problem: expect.stringContaining("EISDIR") });
  expect(await licenceFile(file, "{}")()).toEqual({
    problem: expect.stringContaining("LICENCE_KEYS: expected a JWKS"),
  });
  expect(await licenceFile(file, undefined)()).toEqual({ problem: expect.stringContaining("no key that this") });
  expect(await licenceFile(undefined, "{}")()).toBeUndefined();
});
