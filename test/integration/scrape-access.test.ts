import { beforeEach, expect, test } from "vitest";
import type { HostAccess } from "../../lib/host-access.ts";
import { WALLED } from "../hostile-site/access-pages.ts";
import { scrapingForFile } from "./scraping.ts";

const HOSTS = ["walled.test", "www.walled.test", "sub.walled.test", "elsewhere.test", "*.elsewhere.test"];
const scraping = scrapingForFile(HOSTS);
const PAGE = "http://walled.test/walled";
const COOKIES: HostAccess = { "walled.test": { cookies: [{ name: "sid", value: WALLED.cookie, path: "/" }] } };
const HEADERS: HostAccess = { "walled.test": { headers: { "X-Key": WALLED.key } } };

beforeEach(() => void scraping.site.shown.splice(0));

const textOf = async (url: string, hostAccess?: HostAccess): Promise<string> => {
  const result = await scraping.scrape(url, { pagesPerSite: 1 }, hostAccess ? { hostAccess } : {});
  return scraping.textOf(await scraping.captureOf(result));
};
const shownHosts = (): string[] => [...new Set(scraping.site.shown.map((one) => one.split(" ")[0] ?? ""))];

test("without access a page behind a login shows its login", async () => {
  expect(await textOf(PAGE)).toContain("Sign in to see prices");
  expect(scraping.site.shown).toEqual([]);
});

test.each([
  ["cookies", COOKIES],
  ["headers", HEADERS],
])("%s of a host open its pages, and no other host gets them", async (kind, hostAccess) => {
  const result = await scraping.scrape(PAGE, { pagesPerSite: 1 }, { hostAccess });
  const capture = await scraping.captureOf(result);
  expect(await scraping.textOf(capture)).toContain("$29 per month");
  // No script read it.
  expect(capture.title.trim()).toBe("seen:");
  expect(capture.hostAccess).toEqual({ "walled.test": [kind] });
  expect(capture.truncated.join()).toContain(`asked with ${kind} of the workload's own for walled.test`);
  expect(shownHosts()).toEqual(["walled.test"]);
  // Those that it was not shown to were asked for.
  const { seen } = scraping.site;
  expect(seen).toEqual(expect.arrayContaining(["elsewhere.test /got.png", "sub.walled.test /pixel.png"]));
  expect(scraping.site.shown.join("\n")).toContain("walled.test /walled-data");
});

test("a redirect to another host takes nothing along, and what it leads to gets nothing sent", async () => {
  const both = { "walled.test": { ...COOKIES["walled.test"], ...HEADERS["walled.test"] } };
  expect(await textOf("http://walled.test/walled-hop", both)).toContain("Thief");
  expect(scraping.site.seen).toEqual(expect.arrayContaining(["elsewhere.test /thief", "walled.test /walled-data"]));
  expect(scraping.site.shown).toEqual([`walled.test /walled-hop: sid=${WALLED.cookie} ${WALLED.key}`]);
});

test("a cookie stays with its path, and a host that redirects to www. shows each its own", async () => {
  const below = { "walled.test": { cookies: [{ name: "sid", value: WALLED.cookie, path: "/below" }] } };
  expect(await textOf(PAGE, below)).toContain("Sign in to see prices");
  expect(await textOf("http://www.walled.test/walled-upgrade", HEADERS)).toContain("$29 per month");
  expect(shownHosts()).toEqual(["walled.test"]);
});

test("nothing of it is kept, however often the page says it: in no artifact, command to Redis, or line of the log", async () => {
  const hostAccess = { "walled.test": { ...COOKIES["walled.test"], ...HEADERS["walled.test"] } };
  const kept = await scraping.keptOf(async () => {
    await scraping.scrape(PAGE, {}, { hostAccess });
    const lost = await scraping.scrape("http://walled.test/walled-lost", {}, { hostAccess });
    expect(lost.message).toContain("http://walled.test/nowhere?sid=[removed] answers 404");
  });
  const linesWith = (text: string): string[] =>
    kept.filter((line) => line.includes(text)).map((line) => line.slice(0, 300));
  expect(linesWith("$29 per month").length).toBeGreaterThan(0);
  expect(linesWith("key [removed]").length).toBeGreaterThan(0);
  for (const secret of [WALLED.cookie, WALLED.key, WALLED.key.split(" ")[1] ?? ""])
    expect(linesWith(secret)).toEqual([]);
});
