import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { createRunsApp } from "../../cli/kubectl/runs-page.ts";
import { CHROMIUM_NAMES } from "../../lib/edges/chromium.ts";
import { running, startWorld, WAITING, type World } from "./runs-fixture.ts";

// What only a browser decides: that the one script runs and no other, what it does to the page, how wide a page is.

// What is taken out of the code often shows as something that never comes: not for minutes each.
vi.setConfig({ testTimeout: 30_000 });

let world: World;
let browser: Browser;
let url: string;

beforeAll(async () => {
  world = await startWorld();
  const { feed, log, draining } = world;
  const { app, base } = createRunsApp({ feed, now: () => new Date(), log, draining: draining.signal });
  url = `${(await world.serve(app)).origin}${base}`;
  world.api.put({ namespace: "team-a", name: "asked" }, WAITING, { createdAt: "2026-11-30T10:00:00Z" });
  world.api.put({ namespace: "team-a", name: "crawl" }, running(1));
  browser = await chromium.launch({ executablePath: chromiumPath(), args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  await world?.close();
});

function chromiumPath(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.flatMap((path) => CHROMIUM_NAMES.map((name) => join(path, name))).find(existsSync);
  if (!found) throw new Error(`no Chromium on PATH: install one of ${CHROMIUM_NAMES.join(", ")}`);
  return found;
}

test.each([
  [1280, "light", ""],
  [390, "dark", ""],
  [1280, "dark", "/team-a/asked"],
  [390, "light", "/team-a/asked"],
] as const)(
  "%i pixels, %s, page '%s': live, nothing refused by the policy, nothing stands out",
  async (width, colorScheme, path) => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const problems: string[] = [];
    page.on("console", (message) => problems.push(message.text()));
    page.on("pageerror", ({ message }) => problems.push(message));
    await page.goto(`${url}${path}`);
    await page.waitForSelector("#state:text-is('Live')");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    expect(problems).toEqual([]);
    await page.close();
  },
);

test("what changes appears without a reload, and what does not change stays as it is, the focus too", async () => {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForSelector("#state:text-is('Live')");
  await page.focus("a:text-is('asked')");
  await page.evaluate("document.body.dataset.loaded = 'once'");
  world.api.put({ namespace: "team-a", name: "crawl" }, running(33));
  await page.waitForSelector("text=33/50 items");
  world.api.put({ namespace: "team-b", name: "newest" }, running(5), { createdAt: "2026-11-30T12:00:00Z" });
  await page.waitForSelector("a:text-is('newest')");
  expect(await page.locator("article h2").allTextContents()).toEqual(["newest", "asked", "crawl"]);
  world.api.remove({ namespace: "team-b", name: "newest" });
  await page.waitForSelector("a:text-is('newest')", { state: "detached" });
  expect(await page.locator("article h2").allTextContents()).toEqual(["asked", "crawl"]);
  expect(
    await page.evaluate("[document.body.dataset.loaded, document.activeElement.textContent.slice(0, 40)]"),
  ).toEqual(["once", "asked"]);
  await page.close();
});

test("a page that is not seen asks nothing, and goes on when it is", async () => {
  const page = await browser.newPage();
  await page.goto(url);
  await page.waitForSelector("#state:text-is('Live')");
  const hide = (hidden: boolean) =>
    page.evaluate(`Object.defineProperty(document, "hidden", { value: ${hidden}, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));`);
  await hide(true);
  await page.waitForSelector("#state:text-is('Paused')");
  await expect.poll(() => world.api.watches(), { timeout: 10_000 }).toBe(0);
  world.api.put({ namespace: "team-a", name: "crawl" }, running(44));
  await hide(false);
  await page.waitForSelector("text=44/50 items");
  await page.close();
});

test("a run that is deleted becomes a page that says so", async () => {
  world.api.put({ namespace: "team-a", name: "short" }, running(1));
  const page = await browser.newPage();
  await page.goto(`${url}/team-a/short`);
  await page.waitForSelector("#state:text-is('Live')");
  world.api.remove({ namespace: "team-a", name: "short" });
  await page.waitForSelector("h1:text-is('No such run')");
  await page.close();
});

test("without script the page shows the state of the moment", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(url);
  expect(await page.locator("article h2").allTextContents()).toEqual(["asked", "crawl"]);
  expect(await page.locator("noscript meta, meta[http-equiv=refresh]").count()).toBe(1);
  await context.close();
});
