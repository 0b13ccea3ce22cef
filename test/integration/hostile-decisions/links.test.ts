import { describe, expect, test } from "vitest";
import { approving, CHANNELS, type Channel } from "./channels.ts";
import { counts, withstands } from "./gate-world.ts";
import { BAD_TOKENS, type MakeToken } from "./tokens.ts";

// Who may not decide: each token that permits nothing, by each way in which a token arrives.

const WAYS = ["a form, by a cookie", "JSON, by a bearer token", "a binary CloudEvent"];
const channel = (name: string): Channel => {
  const found = CHANNELS[name];
  if (!found) throw new Error(`no channel ${name}`);
  return found;
};

test.each(Object.entries(CHANNELS))("a valid link counts by %s", async (_how, send) => {
  await counts(
    async (world) => {
      const response = await send(world, { token: world.token, body: approving(world) });
      expect([200, 303]).toContain(response.status);
    },
    { by: "ann", how: "ReviewLink", automatic: false },
  );
});

describe.each(WAYS)("by %s", (way) => {
  test.each<[string, MakeToken]>(Object.entries(BAD_TOKENS))("%s", async (_what, make) => {
    await withstands(async (world) => {
      const response = await channel(way)(world, { token: await make(world), body: approving(world) });
      expect([400, 401, 403, 404, 409]).toContain(response.status);
    });
  });
});
