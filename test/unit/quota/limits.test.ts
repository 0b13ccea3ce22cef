import { describe, expect, test } from "vitest";
import { quotaIn } from "../../../lib/quota/limits.ts";

describe("the quota of a namespace", () => {
  test.each<[string, Record<string, string> | undefined, unknown]>([
    ["is none without a ConfigMap", undefined, undefined],
    ["is none without a key for it", { "team-b": "maxRunning: 1" }, undefined],
    ["is that of its key", { "team-a": "maxRunning: 5" }, { maxRunning: 5 }],
    ["may be JSON", { "team-a": '{"maxUsdPerMonth": "0.5"}' }, { maxPerMonth: 500_000 }],
    ["is the default where it has no key", { _default: "maxRunning: 2" }, { maxRunning: 2 }],
    [
      "takes from the default what its own key leaves out",
      { _default: '{maxRunning: 2, maxUsdPerMonth: "50"}', "team-a": "maxRunning: 40" },
      { maxRunning: 40, maxPerMonth: 50_000_000 },
    ],
    ["is not that of the namespace named default", { default: "maxRunning: 2" }, undefined],
    ["may be nothing at all", { "team-a": "maxRunning: 0" }, { maxRunning: 0 }],
  ])("%s", async (_what, data, expected) => {
    expect(await quotaIn(data, "team-a")).toEqual(expected);
  });

  test.each<[string, Record<string, string>, RegExp]>([
    [
      "is empty",
      { "team-a": "" },
      /key team-a of ConfigMap agentic-system\/agentic-quotas is invalid: .*expected object/,
    ],
    ["is no YAML", { "team-a": "{maxRunning: 5" }, /expected object/],
    ["is misspelt", { "team-a": "maxRuning: 5" }, /maxRuning/],
    ["is no number", { "team-a": "maxRunning: many" }, /maxRunning/],
    ["is negative", { "team-a": "maxRunning: -1" }, /maxRunning/],
    ["is a number of dollars without quotes", { "team-a": "maxUsdPerMonth: 50" }, /maxUsdPerMonth/],
    ["is a broken default", { _default: "maxRunning: many", "team-a": "maxRunning: 5" }, /key _default/],
  ])("that %s limits everything, and says where it is", async (_what, data, expected) => {
    expect(await quotaIn(data, "team-a")).toEqual({ problem: expect.stringMatching(expected) });
  });
});
