import { generateKeyPairSync } from "node:crypto";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { accessKey, createAccessOpener, createProxyOpener, sealForAgent } from "../../lib/sealed-access.ts";
import { mintStepTokens } from "../../lib/token.ts";

const { privateKey } = generateKeyPairSync("ed25519");
const other = generateKeyPairSync("ed25519").privateKey;
const KEY = accessKey(privateKey, "team-a.fetch");
const PROXY_KEY = accessKey(privateKey, "egress");
const SECRET = "s3cr3t-value";
const PROXY = "http://me:s3cr3t-pass@p.example:3128";
const SHOWN = { "shop.example": { headers: { "X-Key": SECRET } } };
const ACCESS = { "shop.example": { ...SHOWN["shop.example"], proxy: PROXY }, "by.example": { proxy: PROXY } };
const soon = (): Date => new Date(Date.now() + 60_000);

test("each agent has a key of its own, the same each time", () => {
  const keys = [
    KEY,
    accessKey(privateKey, "team-a.read"),
    accessKey(privateKey, "team-b.fetch"),
    accessKey(other, "team-a.fetch"),
  ];
  expect(new Set(keys).size).toBe(4);
  expect(accessKey(privateKey, "team-a.fetch")).toBe(KEY);
  expect(KEY).toMatch(/^[0-9a-f]{64}$/);
});

test("the agent reads what it shows, without the proxies", async () => {
  const sealed = await sealForAgent(ACCESS, KEY, "team-a.1", soon());
  expect(await createAccessOpener(KEY)(sealed, "team-a.1")).toEqual(SHOWN);
});

describe("nobody else reads it", () => {
  test.each<[string, () => Promise<unknown>]>([
    ["another agent of the namespace", async () => open(accessKey(privateKey, "team-a.read"), "team-a.1")],
    ["the agent of another namespace", async () => open(accessKey(privateKey, "team-b.fetch"), "team-a.1")],
    ["an agent without a key", async () => open(undefined, "team-a.1")],
    ["the same agent, for another step", async () => open(KEY, "team-a.2")],
    [
      "the same agent, when the tokens beside it have expired",
      async () => open(KEY, "team-a.1", new Date(Date.now() - 1)),
    ],
    ["the same agent, of a request without it", async () => createAccessOpener(KEY)("", "team-a.1")],
  ])("%s", async (_who, opening) => {
    const error = await opening().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "RetryableError", reason: "HostAccessUnreadable", countsAsAttempt: false });
    expect((error as Error).cause).toBeUndefined();
  });
  const open = async (key: string | undefined, jti: string, expires = soon()): Promise<unknown> =>
    createAccessOpener(key)(await sealForAgent(ACCESS, KEY, "team-a.1", expires), jti);
});

test("the tokens of a step say what there is, and nothing of what it is", async () => {
  const claims = { sub: "uid", jti: "team-a.1", run: "r", allow: [], deadline: soon().toISOString(), retryLimit: 0 };
  const granted = { access: ACCESS, agentKey: KEY, proxyKey: PROXY_KEY };
  const tokens = await mintStepTokens(claims, privateKey, soon(), granted);
  expect(decodeJwt(tokens.token)["hostAccess"]).toEqual({
    "shop.example": ["headers", "proxy"],
    "by.example": ["proxy"],
  });
  expect(decodeProtectedHeader(tokens.hostAccess ?? "")).toEqual({ alg: "dir", enc: "A256GCM" });
  const opened = await createProxyOpener(PROXY_KEY)(String(decodeJwt(tokens.egressToken)["via"]), "team-a.1");
  expect(opened).toEqual({ "shop.example": PROXY, "by.example": PROXY });
  expect(await createProxyOpener(KEY)(String(decodeJwt(tokens.egressToken)["via"]), "team-a.1")).toBeUndefined();
  const clear = [...Object.values(tokens), String(decodeJwt(tokens.egressToken)["via"])]
    .flatMap((token) => [
      token,
      ...token.split(".").map((part: string) => Buffer.from(part, "base64url").toString("latin1")),
    ])
    .join("\n");
  expect(clear).not.toMatch(/s3cr3t|X-Key/);
  expect(await mintStepTokens(claims, privateKey, soon())).not.toHaveProperty("hostAccess");
});
