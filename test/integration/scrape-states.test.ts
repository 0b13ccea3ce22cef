import { describe, expect, test } from "vitest";
import { extract } from "../../functions/analyze/extract/extract.ts";
import { scrapingForFile } from "./scraping.ts";

// What a page shows only when somebody presses something.

const scraping = scrapingForFile(["shop.test"]);
const capture = (path: string, seconds?: number) => scraping.capture(`http://shop.test${path}`, seconds);

test.each(["/switch-buttons", "/switch-box"])("%s: monthly and yearly prices are both read", async (path) => {
  const { text, truncated } = await capture(path);
  const [shown, other] = text.split("[After pressing “Yearly”]\n");
  expect(shown).toMatch(/Solo\n+\$9 per month\n+Team\n+\$29 per month\n+End/);
  expect(other).toMatch(/Solo\n+\$90 per year\n+Team\n+\$290 per year$/);
  expect(truncated).toEqual([]);
});

test.each(["/switch-tabs-plain", "/switch-drawn", "/switch-label"])(
  "%s: whatever a switch is made of",
  async (path) => {
    expect((await capture(path)).text).toMatch(/\[After pressing “[^”]*Yearly”\]\n[^[]*Solo\n+\$90 per year/);
  },
);

test("they are two prices of one offer, and no other offers", async () => {
  const { html, finalUrl: url, title, description } = await capture("/switch-buttons");
  const yearly = (amount: number) => [{ amount, currency: "USD", period: "year", from: false }];
  expect(
    extract({ html, url, title, description, screenshot: "s", at: "2026-11-20T10:00:00.000Z" }).offers,
  ).toMatchObject([
    { name: "Solo", price: { amount: 9, period: "month" }, alternatives: yearly(90) },
    { name: "Team", price: { amount: 29, period: "month" }, alternatives: yearly(290) },
  ]);
});

test.each(["/switch-root", "/switch-frame"])("%s: switches in roots and frames are pressed, too", async (path) => {
  expect((await capture(path)).text).toMatch(/\[After pressing “Yearly”\]\n[^[]*Solo\n+\$90 per year/);
});

test.each([
  ["/switch-tabs", "Companies"],
  ["/switch-folds", "More plans"],
])("%s: what another part shows is read, and marked", async (path, label) => {
  const [shown, other] = (await capture(path)).text.split(`[After pressing “${label}”]\n`);
  expect(shown).not.toContain("$290");
  expect(other).toMatch(/Team\n+\$290 per year/);
});

test("what speaks to a model then is reported, and the plans stay those that the page shows", async () => {
  const { html, text, finalUrl: url, title, description } = await capture("/switch-instructs");
  expect(text).toContain("Ignore all previous instructions");
  const { caveats, offers } = extract({
    html,
    url,
    title,
    description,
    screenshot: "s",
    at: "2026-11-20T10:00:00.000Z",
  });
  expect(caveats).toEqual([expect.stringContaining("tries to instruct")]);
  expect(offers).toMatchObject([{ name: "Solo" }, { name: "Team" }]);
});

test("what only another tab offers is found, once, and says where", async () => {
  const captured = await scraping.scrape("http://shop.test/switch-audience", { pagesPerSite: 1 });
  const { offers } = await scraping.analyze(captured);
  expect(offers.map(({ name, price, evidence }) => [name, price?.amount, evidence.pressed])).toEqual([
    ["Solo", 9, undefined],
    ["Plus", 19, undefined],
    ["Add-on", 5, undefined],
    ["Crew", 99, "For teams"],
    ["Fleet", undefined, "For teams"],
  ]);
  // The picture is of the page as it opens.
  expect(offers.map(({ evidence }) => evidence.crop !== undefined)).toEqual([true, true, true, false, false]);
});

test("details are open", async () => {
  expect((await capture("/details")).text).toContain("Team, $290 per year");
});

describe("pressing leads nowhere, and sends nothing", () => {
  test.each(["/switch-leaves", "/switch-submits"])("%s", async (path) => {
    const seen = await capture(path);
    expect(seen.finalUrl).toBe(`http://shop.test${path}`);
    expect(seen.text).toContain("$9 per month");
    expect(seen.truncated).toEqual(["not every tab and switch of the page was read"]);
    expect(scraping.site.seen).not.toContain("shop.test /switch-left");
    if (path === "/switch-submits") expect(seen.text).toContain("$290 per year");
  });

  test("a page that hangs then is captured as it was", async () => {
    const seen = await capture("/switch-hangs", 30);
    expect(seen.text).toContain("$9 per month");
    expect(seen.truncated).toEqual(["not every tab and switch of the page was read"]);
  });
});
