import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { countTokens, truncateToTokens } from "../../lib/model/tokens.ts";

/** Turns of the event loop during the work: leases are renewed in them. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  await countTokens("");
  let turns = 0;
  let working = true;
  const counting = (async () => {
    for (; working; turns++) await turn();
  })();
  await work();
  working = false;
  await counting;
  return turns;
}

// 2,000 of these characters in one piece take seconds.
const WORD = "-".repeat(10_000);

test("counting a very long word lets others have their turn, often", async () => {
  expect(await turnsDuring(() => countTokens(WORD))).toBeGreaterThanOrEqual(50);
});

test("and so does cutting it", async () => {
  expect(await turnsDuring(() => truncateToTokens(WORD, 10_000))).toBeGreaterThanOrEqual(50);
});

test("counted in pieces, text has a few tokens more at most", async () => {
  const text = "What does a team of ten pay a month? ".repeat(200);
  // 10 tokens a sentence, and at most one for each 200 characters.
  expect(await countTokens(text)).toBeGreaterThanOrEqual(2_000);
  expect(await countTokens(text)).toBeLessThanOrEqual(2_000 + text.length / 200 + 1);
});
