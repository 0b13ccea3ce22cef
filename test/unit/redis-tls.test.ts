import { expect, test } from "vitest";
import { createAuthority } from "../../lib/certificate.ts";
import { connectionTrouble, redisTls } from "../../lib/edges/redis-tls.ts";

const errorOf = (code: string, message = code) => Object.assign(new Error(message), { code });

test("TLS is what the address says", () => {
  expect(redisTls("redis://localhost", undefined)).toBeUndefined();
  expect(redisTls("unix:///run/redis.sock", undefined)).toBeUndefined();
  expect(redisTls("rediss://localhost", undefined)).toEqual({});
});

test("authorities without a line break between them, as somebody appended one, are two", async () => {
  const make = async () => (await createAuthority("agentic-redis", new Date(), 3_600_000)).certificate.trim();
  const [one, other] = [await make(), await make()];
  expect(redisTls("rediss://redis", one + other)).toEqual({ ca: `${one}\n${other}` });
});

test.each([
  ["rediss://redis", "PEM", "SELF_SIGNED_CERT_IN_CHAIN", /none of the authorities in REDIS_CA/],
  ["rediss://redis", undefined, "DEPTH_ZERO_SELF_SIGNED_CERT", /no public authority/],
  ["rediss://redis", "PEM", "EPROTO", /no TLS handshake \(EPROTO\): .*begins with redis:/],
  ["rediss://redis", "PEM", "ERR_SSL_WRONG_VERSION_NUMBER", /begins with redis:/],
  ["rediss://redis", "PEM", "ECONNREFUSED", /^ECONNREFUSED$/],
  ["redis://redis", undefined, "ECONNRESET", /begins with rediss:/],
  ["redis://redis", undefined, "ECONNREFUSED", /^ECONNREFUSED$/],
  ["unix:///redis.sock", undefined, "ENOENT", /^ENOENT$/],
])("at %s, where REDIS_CA is %s, %s is said as %s", (url, ca, code, said) => {
  expect(connectionTrouble({ url, ca, answered: false }, errorOf(code))).toMatch(said);
});

test("a server that only closes the connection may want TLS, but not where it has answered before", () => {
  const [url, ca] = ["redis://redis", undefined];
  expect(connectionTrouble({ url, ca, answered: false })).toMatch(/begins with rediss:/);
  expect(connectionTrouble({ url, ca, answered: true })).toBe("the server closes the connection");
  expect(connectionTrouble({ url, ca, answered: true }, errorOf("ECONNRESET"))).toBe("ECONNRESET");
  const expired = errorOf("CERT_HAS_EXPIRED");
  expect(connectionTrouble({ url: "rediss://redis", ca, answered: true }, expired)).toMatch(/renew it/);
});
