import assert from "node:assert/strict";
import { test } from "node:test";
import { headerFindings } from "../src/audit/headers.js";

const GOOD = {
  "content-security-policy": "default-src 'self'; frame-ancestors 'none'",
  "strict-transport-security": "max-age=31536000",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
};
const rulesOf = (headers: Readonly<Record<string, string>>): string[] =>
  headerFindings(headers).map(({ rule }) => rule);

test("nothing is found where everything is set", () => {
  assert.deepEqual(rulesOf(GOOD), []);
});

test("everything is found where nothing is set", () => {
  assert.equal(rulesOf({}).length, 5);
});

for (const [header, value, found] of [
  ["content-security-policy", "img-src 'self'; frame-ancestors 'none'", "content-security-policy"],
  ["content-security-policy", "script-src 'unsafe-inline'; frame-ancestors 'none'", "content-security-policy"],
  ["content-security-policy", "script-src 'unsafe-inline' 'nonce-abc'; frame-ancestors 'none'", undefined],
  ["content-security-policy", "default-src 'self'", "frame-protection"],
  ["strict-transport-security", "max-age=300", "strict-transport-security"],
  ["strict-transport-security", 'max-age="63072000"; preload', undefined],
  ["x-content-type-options", "sniff", "content-type-options"],
  ["referrer-policy", "no-referrer, unsafe-url", "referrer-policy"],
] as const)
  test(`${header}: ${value}`, () => {
    assert.deepEqual(rulesOf({ ...GOOD, [header]: value }), found === undefined ? [] : [found]);
  });

test("X-Frame-Options protects where the policy does not", () => {
  const headers = { ...GOOD, "content-security-policy": "default-src 'self'" };
  assert.deepEqual(rulesOf({ ...headers, "x-frame-options": "sameorigin" }), []);
  assert.deepEqual(rulesOf({ ...headers, "x-frame-options": "ALLOW-FROM http://a.example" }), ["frame-protection"]);
});
