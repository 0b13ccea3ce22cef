import { expect, test } from "vitest";
import { maskSecrets } from "../../lib/secrets.ts";

const RANDOM = "a1B2c3D4e5F6a7B8c9D0";

test.each([
  [`Authorization: Bearer ${RANDOM}.x-y_z`, "Authorization: Bearer [secret]"],
  ["authorization: basic dXNlcjpwYXNz", "authorization: basic [secret]"],
  [`{"authorization":"Basic dXNlcjpwYXNz"}`, `{"authorization":"Basic [secret]"}`],
  [`key sk-${RANDOM}, or pk-lf-${RANDOM}`, "key [secret], or [secret]"],
  [`ghp_${RANDOM} xoxb-${RANDOM}`, "[secret] [secret]"],
  ["AKIAABCDEFGHIJKLMNOP", "[secret]"],
  [`eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1aWQifQ.${RANDOM}`, "[secret]"],
  ["-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\nand more", "[secret]\nand more"],
  ["-----BEGIN RSA PRIVATE KEY-----\nMC4CAQAw", "[secret]"],
  ["password=hunter2hunter2&x=1", "password=[secret]&x=1"],
  [`"api_key": "${RANDOM}"`, `"api_key": "[secret]"`],
  ["postgres://app:s3cret@db:5432/x", "postgres://app:[secret]@db:5432/x"],
  ["Basic cleaning, from $20. Password: required. The bearer of this card", undefined],
  ["https://example.com:8080/@ada, token: refundable", undefined],
])("%j", (text, masked = text) => {
  expect(maskSecrets(text)).toBe(masked);
});

test.each(["eyJ-", "sk-", "password:1", "://a:", "-----BEGIN PRIVATE KEY-----", "bearer "])(
  "a page of nothing but %j takes no time",
  (part) => {
    const before = performance.now();
    maskSecrets(part.repeat(20_000 / part.length));
    expect(performance.now() - before).toBeLessThan(1000);
  },
);
