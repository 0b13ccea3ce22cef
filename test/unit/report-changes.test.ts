import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Findings } from "../../engine/findings.ts";
import { historyChart } from "../../functions/report/charts/history-chart.ts";
import { compare } from "../../functions/report/compare.ts";
import { historyOf, MAX_POINTS } from "../../functions/report/history.ts";
import { withoutNoise } from "../../functions/report/noise.ts";
import type { Dossier } from "../../functions/report/report.ts";
import { changesSentence } from "../../functions/report/wording.ts";
import { decisionOn, dossierOf, findingsOf, many, OBJECTIVE, type Page, type Site, TEN } from "./report-fixture.ts";

const THEN = { at: "2026-11-21T09:30:00.000Z" };
const NOW = { at: "2026-11-28T09:30:00.000Z" };

const acme = (rest: Partial<Site> = {}): Site => ({
  name: "Acme",
  url: "https://acme.example/",
  claim: "Invoices in a minute",
  audience: ["freelancers"],
  offers: [
    ["Free", { amount: 0 }],
    ["Solo", { amount: 9 }],
  ],
  proof: [
    ["testimonial", "“I get paid a week earlier.” Ana"],
    ["metric", "Trusted by 9,000 teams"],
    ["guarantee", "30 days money back"],
  ],
  ...rest,
});

function changed(before: readonly Site[], after: readonly Site[]) {
  const dossier = dossierOf(after, NOW, dossierOf(before, THEN));
  if (!dossier.changes) throw new Error("there is no comparison");
  return { ...dossier, changes: dossier.changes };
}
const told = ({ changes }: { changes: NonNullable<Dossier["changes"]> }) =>
  changes.list.map(({ material, status, sentence }) => `${material ? "!" : ""}${status}: ${sentence}`);

describe("changes of one page", () => {
  const offers = (...more: NonNullable<Site["offers"]>): Partial<Site> => ({
    offers: [["Free", { amount: 0 }], ...more],
  });

  it.each<[string, Partial<Site>, string[]]>([
    ["nothing", {}, []],
    ["a dearer price", offers(["Solo", { amount: 12 }]), ["!changed: Acme raised Solo from $9 to $12 a month (+33%)."]],
    ["a cheaper price", offers(["Solo", { amount: 6 }]), ["!changed: Acme lowered Solo from $9 to $6 a month (−33%)."]],
    [
      "another period",
      offers(["Solo", { amount: 90, period: "year" }]),
      ["!changed: Acme’s Solo: price changed from $9 a month to $90 a year."],
    ],
    [
      "a price that is gone",
      offers(["Solo", null]),
      ["!changed: Acme’s Solo: price changed from $9 a month to no price named."],
    ],
    [
      "a new offer",
      offers(["Solo", { amount: 9 }], ["Team", { amount: 19 }]),
      ["!new: Acme has a new offer: Team ($19 a month)."],
    ],
    ["an offer less", { offers: [["Solo", { amount: 9 }]] }, ["!removed: Acme no longer has the offer Free (free)."]],
    [
      "another name",
      offers(["Professional", { amount: 9 }]),
      ["!changed: Acme renamed Solo ($9 a month) to Professional."],
    ],
    [
      "another feature",
      offers(["Solo", { amount: 9 }, ["Reminders"]]),
      ["changed: Acme’s Solo: features named now: Reminders."],
    ],
    [
      "another main claim",
      { claim: "Invoices by AI" },
      ["!changed: Acme’s main claim changed from “Invoices in a minute” to “Invoices by AI”."],
    ],
    ["another case and white space", { claim: "invoices  in a Minute!" }, []],
    [
      "another guarantee",
      { proof: [...(acme().proof ?? []).slice(0, 2), ["guarantee", "14 days money back"]] },
      ["!changed: Acme’s guarantee changed from “30 days money back” to “14 days money back”."],
    ],
    [
      "no guarantee any more",
      { proof: (acme().proof ?? []).slice(0, 2) },
      ["!removed: Acme no longer has the guarantee “30 days money back”."],
    ],
    [
      "another counter",
      {
        proof: [
          acme().proof?.[0] ?? ["award", ""],
          ["metric", "Trusted by 9,100 teams"],
          ["guarantee", "30 days money back"],
        ],
      },
      ["changed: Acme’s figure changed from “Trusted by 9,000 teams” to “Trusted by 9,100 teams”."],
    ],
    [
      "another testimonial in its place",
      { proof: [["testimonial", "“Onboarded in an hour.” Ben"], ...(acme().proof ?? []).slice(1)] },
      [],
    ],
    [
      "no testimonial any more",
      { proof: (acme().proof ?? []).slice(1) },
      ["removed: Acme no longer has the testimonial ““I get paid a week earlier.” Ana”."],
    ],
    [
      "another audience",
      { audience: ["agencies"] },
      ["removed: Acme no longer has the audience “freelancers”.", "new: Acme has a new audience: “agencies”."],
    ],
  ])("%s", (_what, after, expected) => {
    expect(told(changed([acme()], [acme(after)]))).toEqual(expected);
  });

  it("say the status of each claim", () => {
    const { claims, changes } = changed([acme()], [acme(offers(["Solo", { amount: 12 }], ["Team", { amount: 19 }]))]);
    const status = Object.fromEntries(claims.map((claim) => [claim.key, claim.status]));
    expect(status).toMatchObject({
      positioning: "same",
      "offers/solo": "changed",
      "offers/team": "new",
      "offers/free": "same",
    });
    expect(changes).toMatchObject({
      sites: [
        { label: "Acme", status: "changed" },
        { site: "https://blocked.example/", status: "notComparable" },
      ],
      pages: [{ url: "https://acme.example/", status: "changed" }],
    });
  });

  it("count what is left out as noise", () => {
    const after = acme({ proof: [["testimonial", "“Onboarded in an hour.” Ben"], ...(acme().proof ?? []).slice(1)] });
    expect(changed([acme()], [after]).changes).toMatchObject({ list: [], noise: 1 });
  });
});

describe("what cannot be compared", () => {
  const pricing = (rest: Partial<Page> = {}): Page => ({
    ...{ name: "Acme", path: "/pricing", kind: "pricing" },
    offers: [["Team", { amount: 19 }]],
    calls: [],
    ...rest,
  });

  it("is no removal: a page that was not read this time", () => {
    const { changes } = changed([acme({ pages: [pricing()] })], [acme()]);
    expect(told({ changes })).toContainEqual(
      "notComparable: Acme’s offer Team ($19 a month) cannot be compared: its page was not read in both runs.",
    );
    expect(changes.list.filter(({ status }) => status !== "notComparable")).toEqual([]);
    expect(changes.pages.at(-1)).toMatchObject({ url: "https://acme.example/pricing", status: "notComparable" });
  });

  it("is no news: a page that was read for the first time", () => {
    const { changes, claims } = changed([acme()], [acme({ pages: [pricing()] })]);
    expect(changes.list.filter(({ status }) => status !== "notComparable")).toEqual([]);
    expect(claims.find(({ key }) => key === "offers/team")?.status).toBe("notComparable");
  });

  it.each<[string, Partial<Site>, Partial<Site>]>([
    ["a page that was cut this time", {}, { truncated: ["the page was cut"], offers: [] }],
    ["a page that was cut then", { truncated: ["the page was cut"], offers: [] }, {}],
    ["a page that another analyst read", {}, { analyst: { kind: "model", model: "m" }, offers: [] }],
  ])("is neither: %s", (_what, before, after) => {
    const { changes } = changed([acme(before)], [acme(after)]);
    expect(changes.list.length).toBeGreaterThan(0);
    for (const change of changes.list) expect(change).toMatchObject({ status: "notComparable", material: false });
  });

  it("says so where another analyst read the pages", () => {
    const { caveats } = changed([acme()], [acme({ analyst: { kind: "model", model: "m" } })]);
    expect(caveats).toContainEqual(expect.stringMatching(/^Acme: rules read a page on 2026-11-21, and m this time/));
  });

  it("tells a price of another page from a change", () => {
    const before = [acme({ pages: [pricing({ offers: [["Solo", { amount: 12 }]] })] })];
    const { changes } = changed(before, [acme()]);
    expect(changes.list.find(({ field }) => field === "price")).toMatchObject({
      status: "notComparable",
      material: false,
    });
  });
});

describe("changes of sites", () => {
  const failing = (reason: string): Findings["results"][number] => ({
    ...{ step: "scrape", item: "https://acme.example/", outcome: "failed", reason },
    ...{ message: "it would not have us", artifacts: {} },
  });
  const failed = (reason: string, earlier: Dossier) => {
    const [other] = TEN;
    if (!other) throw new Error("no site");
    const findings = findingsOf([other], () => ({ capture: "c", analysis: "a" }));
    const results = [...findings.results, failing(reason)];
    const { competitors } = dossierOf([other]);
    expect(competitors).toHaveLength(1);
    return dossierWith({ ...findings, results }, other, earlier);
  };
  const dossierWith = (findings: Findings, site: Site, earlier: Dossier): Dossier => {
    const whole = dossierOf([site]);
    const [competitor] = whole.competitors;
    if (!competitor) throw new Error("no site");
    const pages = competitor.pages.map(({ url, kind, capture }) => ({
      ...{ url, kind, analysis: competitor.analysis },
      capture: { ...capture, browserSeconds: 0 } as never,
    }));
    const [first, ...others] = pages;
    if (!first) throw new Error("no page");
    return compare({
      ...{ objective: OBJECTIVE, findings, decision: decisionOn(findings, NOW), earlier },
      subjects: [{ item: site.url, pages: [first, ...others] }],
    });
  };

  it.each([
    ["Blocked", true],
    ["RobotsDisallowed", true],
    ["NavigationTimeout", false],
  ])("that could be read, and now ends with %s: material %s", (reason, material) => {
    const { changes } = failed(reason, dossierOf([TEN[0] ?? acme(), acme()], THEN));
    expect(changes?.list.find(({ label }) => label === "Acme")).toMatchObject({ status: "notComparable", material });
    expect(changes?.sites.find(({ label }) => label === "Acme")).toMatchObject({ status: "notComparable" });
  });

  it("that the workload names now, or no longer, are no news of the market", () => {
    const [first, second, third] = [TEN[0], TEN[1], TEN[2]].map((site) => site ?? acme());
    if (!first || !second || !third) throw new Error("no sites");
    const { changes } = changed([first, second], [first, third]);
    expect(told({ changes })).toEqual([
      "new: Quillbook Accounting & Invoicing Suite was not part of the earlier run.",
      "removed: PayNimbus is no longer part of the run.",
    ]);
    expect(changes.sites.map(({ status }) => status)).toEqual(["same", "new", "notComparable", "removed"]);
  });
});

it("a report changes in nothing against itself", () => {
  const text = fc.stringMatching(/^[A-Za-z0-9 ,.$%-]{1,40}$/).filter((one) => one.trim() !== "");
  const site = fc.record({
    claim: text,
    audience: fc.array(text, { maxLength: 3 }),
    offers: fc.array(
      fc.tuple(text, fc.option(fc.record({ amount: fc.nat({ max: 500 }) })), fc.array(text, { maxLength: 3 })),
      { maxLength: 5 },
    ),
    proof: fc.array(
      fc.tuple(
        fc.constantFrom("testimonial", "customer", "metric", "rating", "award", "guarantee"),
        text,
      ) as fc.Arbitrary<NonNullable<Site["proof"]>[number]>,
      { maxLength: 5 },
    ),
    truncated: fc.constantFrom<string[]>([], ["the page was cut"]),
  });
  fc.assert(
    fc.property(fc.array(site, { minLength: 1, maxLength: 4 }), (given) => {
      const sites = given.map((one, at): Site => ({ name: `Site ${at}`, url: `https://site-${at}.example/`, ...one }));
      const { changes, claims } = changed(sites, sites);
      expect(changes).toMatchObject({ list: [], noise: 0, omitted: 0, same: claims.length });
      for (const { status } of claims) expect(status).toBe("same");
      expect(changesSentence(changes)).toMatch(/^Nothing changed since 2026-11-21: /);
    }),
    { numRuns: 60 },
  );
  expect(changed(many(20), many(20)).changes.list).toEqual([]);
});

it("lists a bounded number of changes, and says how many there are more", () => {
  const offers = (prefix: string): Site["offers"] =>
    Array.from({ length: 300 }, (_, at) => [`${prefix} ${at}`, { amount: at + (prefix === "a" ? 1 : 1000) }]);
  const { changes } = changed([acme({ offers: offers("a") ?? [] })], [acme({ offers: offers("b") ?? [] })]);
  expect(changes.list).toHaveLength(500);
  expect(changes.omitted).toBe(100);
  expect(changesSentence(changes)).toMatch(/^500 material changes and 100 smaller ones/);
});

describe("noise", () => {
  it.each([
    ["© 2025 Acme", "© 2026 Acme"],
    ["Updated November 3, 2026", "Updated December 14, 2026"],
    ["Updated 3 Nov", "Updated 14 Dec"],
    ["Last release 2026-11-01", "Last release 2026-11-28"],
    ["Updated 3 days ago", "Updated 5 hours ago"],
    ["Trusted by 9,000+ teams", "Trusted by 12,431 teams"],
    ["12k downloads", "14k downloads"],
    ["Get  Paid — Faster", "get paid faster"],
  ])("%j and %j differ in noise alone", (a, b) => {
    expect(withoutNoise(a)).toBe(withoutNoise(b));
  });
  it.each([
    ["14-day trial", "30-day trial"],
    ["From $9", "From $12"],
    ["From €1,200", "From €1,500"],
    ["Save 20%", "Save 30%"],
    ["99.9% uptime", "99.99% uptime"],
    ["4.8 of 5", "4.2 of 5"],
    ["5 marketing seats", "9 marketing seats"],
  ])("%j and %j say something else", (a, b) => {
    expect(withoutNoise(a)).not.toBe(withoutNoise(b));
  });
});

describe("prices over time", () => {
  const at = (day: number) =>
    `2026-${String(Math.floor(day / 28) + 1).padStart(2, "0")}-${String((day % 28) + 1).padStart(2, "0")}T09:00:00.000Z`;
  /** A run a day: prices of Solo, one after the other. */
  const runs = (amounts: readonly (number | undefined)[]) =>
    amounts.reduce<Dossier | undefined>(
      (earlier, amount, day) =>
        dossierOf([acme({ offers: amount === undefined ? [] : [["Solo", { amount }]] })], { at: at(day) }, earlier),
      undefined,
    );
  const points = (dossier: Dossier | undefined) =>
    dossier?.history[0]?.points.map(({ at: when, price }) => [when.slice(5, 10), price?.amount ?? null]);

  it("keep where a price begins and ends, through all runs", () => {
    expect(points(runs([9, 9, 9, 12, 12, undefined]))).toEqual([
      ["01-01", 9],
      ["01-03", 9],
      ["01-04", 12],
      ["01-05", 12],
      ["01-06", null],
    ]);
  });

  it("do not follow a later report, and have no price of another page", () => {
    const later = dossierOf([acme()], { at: at(9) });
    expect(dossierOf([acme()], { at: at(3) }, later).history).toEqual(later.history);
    const pricing: Page = {
      name: "Acme",
      path: "/pricing",
      kind: "pricing",
      offers: [["Solo", { amount: 12 }]],
      calls: [],
    };
    const both = dossierOf([acme({ pages: [pricing] })], { at: at(1) });
    const teaser = dossierOf([acme()], { at: at(2) }, both);
    expect(teaser.history.find(({ key }) => key === "offers/solo")?.points).toHaveLength(1);
  });

  it("are bounded", () => {
    const series = runs([9]);
    const many = Array.from({ length: 150 }, (_, day) => day).reduce(
      (history, day) =>
        historyOf(
          history,
          {
            ...{ date: at(day + 1), competitors: series?.competitors ?? [] },
            claims: (series?.claims ?? []).map((claim) =>
              claim.price ? { ...claim, price: { ...claim.price, amount: day } } : claim,
            ),
          },
          undefined,
        ),
      series?.history ?? [],
    );
    expect(many).toHaveLength(1);
    expect(many[0]?.points).toHaveLength(MAX_POINTS);
    expect(many[0]?.points.at(-1)?.price?.amount).toBe(149);
  });

  it("are drawn where one moved: steps, told apart without a colour, and in words", () => {
    const drawn = String(historyChart(runs([9, 12, 12]) as Dossier));
    expect(drawn).toMatch(/<path class="step" d="M48 [\d.]+H[\d.]+V30H[\d.]+V30H446"/);
    expect(drawn.match(/<circle class="dot"/g)).toHaveLength(2);
    expect(drawn).toContain(">Acme, Solo: $9 → $12</text>");
    expect(drawn).toContain("Acme, Solo: 2026-01-01 $9 a month, 2026-01-02 $12 a month");
    expect(historyChart(runs([9, 9]) as Dossier)).toBeUndefined();
    const two = changed(
      TEN,
      TEN.map((site) => ({
        ...site,
        offers:
          (site.offers?.map(([name, given]) => [
            name,
            given && { ...given, amount: (given.amount ?? 0) + 1 },
          ]) as Site["offers"]) ?? [],
      })),
    );
    const dashes = [
      ...String(historyChart(two)).matchAll(/<path class="step"[^>]*?(?:stroke-dasharray="([^"]*)")?\/>/g),
    ].map(([, dash]) => dash);
    expect(new Set(dashes).size).toBe(dashes.length);
    expect(dashes.length).toBeGreaterThan(4);
  });
});
