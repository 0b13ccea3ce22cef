import { describe, expect, it } from "vitest";
import { citedIn, withoutCitations } from "../../functions/report/claims.ts";
import { stateOf } from "../../functions/report/coverage.ts";
import { narrate } from "../../functions/report/narrator.ts";
import { strategize } from "../../functions/report/strategist.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Question } from "../../lib/model/question.ts";
import { dossierOf, type Page, price, type Site, TEN } from "./report-fixture.ts";

const acme = (rest: Partial<Site> = {}): Site => ({
  name: "Acme",
  url: "https://acme.example/",
  claim: "Invoices in a minute",
  offers: [
    ["Solo", { amount: 9 }, ["Reminders"]],
    ["Team", null],
  ],
  proof: [["customer", "Norwind"]],
  ...rest,
});
const pricing = (rest: Partial<Page> = {}): Page => ({
  name: "Acme",
  path: "/pricing",
  kind: "pricing",
  claim: "Plans and pricing",
  offers: [
    ["Solo", { amount: 9 }, ["Reminders", "Card payments"]],
    ["Team", { amount: 19 }],
  ],
  proof: [["customer", "Norwind"]],
  ...rest,
});

describe("a site of several pages", () => {
  const dossier = dossierOf([acme({ pages: [pricing()] })]);
  const claim = (key: string) => dossier.claims.find((one) => one.key === key);

  it("is one competitor: an offer of two pages once, with both addresses, and the price where it stands", () => {
    expect(dossier.competitors).toHaveLength(1);
    expect(dossier.competitors[0]?.pages.map(({ id, kind }) => [id, kind])).toEqual([
      ["s1p1", "home"],
      ["s1p2", "pricing"],
    ]);
    expect(dossier.competitors[0]?.analysis.offers).toMatchObject([
      { name: "Solo", features: ["Reminders", "Card payments"] },
      { name: "Team", price: { amount: 19 } },
    ]);
    expect(claim("offers/solo")).toMatchObject({ url: "https://acme.example/pricing", pages: ["s1p2", "s1p1"] });
    expect(claim("offers/team")).toMatchObject({ url: "https://acme.example/pricing", value: "$19 a month" });
    expect(claim("proof/norwind")).toMatchObject({ url: "https://acme.example/", pages: ["s1p1", "s1p2"] });
    expect(claim("positioning")).toMatchObject({ value: "Invoices in a minute", pages: ["s1p1"] });
  });

  it.each<[string, Partial<Page>, RegExp | undefined]>([
    [
      "another price",
      { offers: [["Solo", { amount: 12 }]] },
      /^Acme: Solo costs \$12 a month on \/pricing and \$9 a month on \//,
    ],
    ["the same price", {}, undefined],
    ["no price", { offers: [["Solo", null]] }, undefined],
  ])("says where its pages contradict each other: %s", (_what, rest, caveat) => {
    const said = dossierOf([acme({ pages: [pricing(rest)] })]).caveats.filter((text) => text.includes("costs"));
    expect(said).toEqual(caveat ? [expect.stringMatching(caveat)] : []);
  });

  it("takes a price from the page that names one", () => {
    const only = dossierOf([acme({ pages: [pricing({ offers: [["Solo", null]] })] })]);
    expect(only.competitors[0]?.entryMonthly).toBe(9);
    expect(only.claims.find(({ key }) => key === "offers/solo")?.url).toBe("https://acme.example/");
  });
});

describe("claims", () => {
  it("are numbered through, and each says where and when", () => {
    const { claims } = dossierOf(TEN);
    expect(claims.map(({ id }) => id)).toEqual(claims.map((_, at) => `c${at + 1}`));
    for (const claim of claims)
      expect(claim).toMatchObject({
        url: expect.stringMatching(/^https:/),
        at: "2026-11-20T10:00:00.000Z",
        analyst: "rules",
      });
    expect(new Set(claims.map(({ site, key }) => `${site} ${key}`)).size).toBe(claims.length);
  });

  it("are cited by what follows from them, and by the answer", () => {
    const dossier = dossierOf(TEN);
    const known = new Map(dossier.claims.map((claim) => [claim.id, claim]));
    const { answer, recommendation } = strategize(dossier);
    expect(citedIn(answer).length).toBeGreaterThan(2);
    for (const id of [...citedIn(answer), ...citedIn(recommendation)]) expect([...known.keys()]).toContain(id);
    expect(withoutCitations(answer)).not.toMatch(/\[c\d/);
    for (const { title, sites, claims } of [...dossier.gaps, ...dossier.standouts, ...dossier.saturated]) {
      for (const id of claims) expect(sites).toContain(known.get(id)?.site);
      if (!/^(Not addressed|Nobody|Claims without|Only .* leads)/.test(title)) expect(claims.length).toBeGreaterThan(0);
    }
    const entry = dossier.competitors[0]?.entryClaim ?? "";
    expect(known.get(entry)).toMatchObject({ subject: "Solo", price: price(9) });
  });

  it.each<[string, readonly Site[], string]>([
    ["ten sites of eleven", TEN, "high"],
    ["four of five", TEN.slice(0, 4), "medium"],
    ["two of three", TEN.slice(0, 2), "low"],
  ])("say how sure it is what follows: %s", (_what, sites, confidence) => {
    const { standouts, gaps } = dossierOf(sites);
    expect(standouts[0]?.confidence).toBe(confidence);
    // Rules overlook what is said in other words.
    for (const gap of gaps.filter(({ claims }) => claims.length === 0)) expect(gap.confidence).not.toBe("high");
  });
});

describe("a narrative by a model", () => {
  const said = {
    answer: "Entry starts at $9 [c3].",
    recommendation: "Start below it [c3].",
    claims: [{ title: "Entry is cheap", text: "It is.", sites: ["s1"], claims: ["c3"] }],
  };
  const usage = { inputTokens: 1, outputTokens: 1, costUsd: 0.01, browserSeconds: 0 };

  /** As lib/model does with an answer that fails the schema twice. */
  const asked = (answer: object, sites: readonly Site[] = TEN) =>
    narrate(dossierOf(sites), async <T>({ schema }: Pick<Question<T>, "schema">) => {
      const parsed = schema.safeParse(answer);
      if (!parsed.success) throw new TerminalError("InvalidAnswer", parsed.error.issues[0]?.message ?? "");
      return { answer: parsed.data, usage, model: "m" };
    });

  it("is taken when it cites", async () => {
    expect(await asked(said)).toMatchObject({ author: { kind: "model" }, answer: said.answer, confidence: "high" });
    expect((await asked(said)).claims[0]).toMatchObject({ claims: ["c3"], confidence: "low" });
  });

  it.each<[string, object, readonly Site[], RegExp]>([
    ["an answer without a citation", { ...said, answer: "Entry starts at $9." }, TEN, /cites no claim/],
    ["a recommendation without one", { ...said, recommendation: "Start below it." }, TEN, /cites no claim/],
    ["an unknown number", { ...said, answer: "Entry starts at $9 [c3][c9999]." }, TEN, /not in the data/],
    ["a claim that rests on none", { ...said, claims: [{ ...said.claims[0], claims: [] }] }, TEN, /./],
    [
      "a claim on an unknown one",
      { ...said, claims: [{ ...said.claims[0], claims: ["c9999"] }] },
      TEN,
      /number of a claim/,
    ],
    [
      "the market, from two sites",
      { ...said, answer: "The market starts at $9 [c3]." },
      TEN.slice(0, 2),
      /fewer than three/,
    ],
  ])("is refused, and rules write it: %s", async (_what, answer, sites, why) => {
    const { author, caveats } = await asked(answer, sites);
    expect(author).toEqual({ kind: "rules" });
    expect(caveats[0]).toMatch(why);
  });

  it("is not asked for where there is nothing to cite", async () => {
    const silent: Site = { name: "Silent", url: "https://silent.example/", calls: [] };
    const dossier = dossierOf([silent]);
    const none = { ...dossier, claims: [] };
    const { author, caveats } = await narrate(none, () => Promise.reject(new Error("asked")));
    expect(author).toEqual({ kind: "rules" });
    expect(caveats[0]).toMatch(/not asked/);
  });
});

it.each([
  ["Blocked", "blocked"],
  ["RobotsDisallowed", "robots"],
  ["RobotsUnreachable", "robots"],
  ["ConsentWall", "consent"],
  ["LoginRequired", "login"],
  ["WrongLocale", "locale"],
  ["TooManyPages", "capped"],
  ["NavigationTimeout", "failed"],
])("a page that ended with %s counts as %s", (reason, state) => {
  expect(stateOf(reason)).toBe(state);
});
