import { expect, test } from "vitest";
import { patiently } from "../../cli/local/patience.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";

const away = new RetryableError("StoreUnavailable", "Redis does not answer");
const never = new AbortController().signal;

function failing(times: number, error: Error): () => Promise<string> {
  let asked = 0;
  return async () => {
    if (asked++ < times) throw error;
    return "here";
  };
}

test.each<[string, number, Error, number, string]>([
  ["what is back in time is waited for", 1, away, 60_000, "here"],
  ["what stays away is given up", 9, away, 0, "Redis does not answer"],
  ["what can never work is not asked for again", 1, new TerminalError("Broken", "broken"), 60_000, "broken"],
])("%s", async (_what, times, error, forMs, end) => {
  const answer = await patiently(failing(times, error), forMs, never).catch(({ message }) => message);
  expect(answer).toBe(end);
});

test("an interruption ends the wait", async () => {
  await expect(patiently(failing(9, away), 60_000, AbortSignal.abort())).rejects.toThrow();
});
