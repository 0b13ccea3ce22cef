import { describe, expect, test } from "vitest";
import { numberClaims } from "../../functions/report/claims.ts";
import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";
import { claimsOf } from "../../pipelines/market-analysis/claims.ts";

const evidence = {
  text: "as quoted",
  screenshot: "ns/uid/0.png",
  url: "https://acme.example/",
  at: "2026-11-20T10:00:00.000Z",
};

function analysisWith(part: Partial<Analysis>): Analysis {
  return {
    site: "https://www.acme.example/",
    name: "Acme",
    analyst: { kind: "extractive" },
    positioning: null,
    audience: [],
    offers: [],
    callsToAction: [],
    proof: [],
    technology: [],
    design: { palette: [], layout: [], screenshot: evidence.screenshot },
    caveats: [],
    usage: { inputTokens: 0, outputTokens: 0, costUsd: 0, browserSeconds: 0 },
    ...part,
  };
}

const offer = (name: string, amount: number): Analysis["offers"][number] => ({
  name,
  price: { amount, currency: "USD", period: "month", from: false },
  features: [],
  evidence,
});
const ids = (part: Partial<Analysis>): string[] => claimsOf(analysisWith(part)).map(({ id }) => id);

describe("claims of an analysis", () => {
  test("an offer keeps its id when its price changes", () => {
    expect(ids({ offers: [offer("Pro Plus", 29)] })).toEqual(ids({ offers: [offer("Pro Plus", 39)] }));
  });

  test("the main claim keeps its id when its words change", () => {
    expect(ids({ positioning: { value: "We plan", evidence } })).toEqual(
      ids({ positioning: { value: "We do", evidence } }),
    );
  });

  test("two of one name have ids of their own", () => {
    expect(ids({ offers: [offer("Pro", 1), offer("pro!", 2)] })).toEqual(["offers/pro", "offers/pro~2"]);
  });

  test("other scripts have ids, too", () => {
    expect(ids({ proof: [{ kind: "customer", value: "株式会社 アクメ", evidence }] })).toEqual([
      "proof/株式会社-アクメ",
    ]);
  });
});

test("the report says what is not seen at once: what to press, and that a picture was read", () => {
  const seen = (more: object) =>
    numberClaims([
      {
        id: "s1",
        pages: [],
        analysis: analysisWith({ offers: [{ ...offer("Pro", 29), evidence: { ...evidence, ...more } }] }),
      },
    ])[0]?.details;
  expect(seen({})).toEqual({});
  expect(seen({ pressed: "For teams" })).toEqual({ "shown after pressing": "“For teams”" });
  expect(seen({ source: "picture" })).toEqual({ "read from": "a picture, by the model" });
});
