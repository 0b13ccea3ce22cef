import { generateKeyPairSync } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type ServerType, serve } from "@hono/node-server";
import { pino } from "pino";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createApp } from "../../functions/approve/index.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { CHROMIUM_NAMES } from "../../lib/edges/chromium.ts";
import { createFolderReviews, type FolderReviews } from "../../lib/edges/reviews/folder.ts";
import { createLinkAuthorizer, mintReviewLink } from "../../lib/review-link.ts";
import { OPENED, REF, recordOf, sites, WORKLOAD } from "./review-fixture.ts";

// What only a browser decides: which cookies and origins it sends, what a policy lets run, how wide a page is.

const keys = generateKeyPairSync("ed25519");
let folder: string;
let reviews: FolderReviews;
let server: ServerType;
let browser: Browser;
let origin: string;
let link: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-approve-"));
  const artifacts = createFolderArtifacts(join(folder, "artifacts"));
  reviews = createFolderReviews(join(folder, "reviews"));
  const record = await recordOf(artifacts, await sites(artifacts));
  const report = "<title>Report</title><p id=t>static</p><script>document.title = 'ran'</script>";
  await reviews.open({ ...record, outputs: { report: await artifacts.put(WORKLOAD, report, "html") } });
  const app = createApp({
    reviews,
    artifacts,
    authorize: createLinkAuthorizer([keys.publicKey]),
    now: () => OPENED,
    log: pino({ level: "silent" }),
    draining: new AbortController().signal,
  });
  server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise((resolve) => server.once("listening", resolve));
  // A name that is not localhost: over plain http Chromium sends it no Sec-Fetch-Site.
  origin = `http://review.test:${(server.address() as AddressInfo).port}`;
  const { gate, digest } = record.review;
  const permission = { ...REF, gate, digest, by: "ada", how: "ReviewLink" } as const;
  const token = await mintReviewLink(keys.privateKey, permission, new Date(Date.now() + 600_000));
  link = `${origin}/review/default/invoicing/review?token=${token}`;
  browser = await chromium.launch({
    executablePath: chromiumPath(),
    args: ["--host-resolver-rules=MAP review.test 127.0.0.1", "--no-sandbox"],
  });
});
afterAll(async () => {
  await browser?.close();
  server?.close();
  await rm(folder, { recursive: true, force: true });
});

function chromiumPath(): string {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const found = folders.flatMap((path) => CHROMIUM_NAMES.map((name) => join(path, name))).find(existsSync);
  if (!found) throw new Error(`no Chromium on PATH: install one of ${CHROMIUM_NAMES.join(", ")}`);
  return found;
}

/** Follows the link from another site, as from mail in a browser. */
async function followLink(page: Page): Promise<void> {
  await page.route("http://mail.test/", (route) =>
    route.fulfill({ contentType: "text/html", body: `<a href="${link}">Review</a>` }),
  );
  await page.goto("http://mail.test/");
  await page.click("a");
  await page.waitForURL(`${origin}/**`);
}

test.each([
  [1280, "light"],
  [390, "dark"],
] as const)(
  "a page of %i pixels, %s: pictures load, nothing is refused by the policy, nothing stands out",
  async (width, colorScheme) => {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
    const refused: string[] = [];
    page.on("console", (message) => {
      if (/Content.Security.Policy/i.test(message.text())) refused.push(message.text());
    });
    await followLink(page);
    expect(page.url()).toBe(`${origin}/review/default/invoicing/review`);
    const seen = await page.evaluate(async () => {
      const images = [...document.images];
      for (const image of images) image.loading = "eager";
      await Promise.all(images.map((image) => image.decode()));
      return {
        pictures: images.map((image) => image.naturalWidth),
        tooWide: document.documentElement.scrollWidth - window.innerWidth,
        styled: getComputedStyle(document.body).margin,
      };
    });
    expect(seen).toEqual({ pictures: [1280, 1280, 1280], tooWide: 0, styled: "0px" });
    expect(refused).toEqual([]);
    await page.close();
  },
);

test("facts are corrected without scripts, by keyboard, on a narrow dark screen, and nothing typed is lost", async () => {
  const context = await browser.newContext({
    javaScriptEnabled: false,
    viewport: { width: 390, height: 800 },
    colorScheme: "dark",
  });
  const page = await context.newPage();
  await page.goto(link);
  await page.fill("#comment", "Weigh the free tiers.");
  await page.getByRole("button", { name: "Correct facts of Paper Plane" }).press("Enter");
  await page.getByRole("heading", { level: 1, name: "Correct facts of Paper Plane" }).waitFor();
  await page.locator("summary", { hasText: "Solo" }).press("Enter");
  const solo = page.getByRole("group", { name: "Offers: Solo: $9 a month" });
  await solo.getByRole("checkbox", { name: "Strike: it does not hold" }).press("Space");
  await page.locator("summary", { hasText: "Studio" }).press("Enter");
  const studio = page.getByRole("group", { name: "Offers: Studio: $29 a month" });
  await studio.getByLabel("Correct to").fill("Studio: $35 a month");
  await studio.getByLabel("Comment").fill("since May");
  const wide = async (): Promise<number> => (await page.locator("main").boundingBox())?.width ?? Number.NaN;
  expect(await wide()).toBeLessThanOrEqual(390);
  await page.getByRole("button", { name: "Keep and go back" }).press("Enter");
  await page.getByRole("button", { name: "Approve with 2 corrections" }).waitFor();
  expect(page.url()).toBe(`${origin}/review/default/invoicing/review#item-1`);
  expect(await page.inputValue("#comment")).toBe("Weigh the free tiers.");
  expect(await page.locator("#item-1 ins").allTextContents()).toEqual(["Studio: $35 a month"]);
  expect(await wide()).toBeLessThanOrEqual(390);
  expect((await reviews.read(REF, "review"))?.review.decision).toBeUndefined();
  await context.close();
});

test("the form decides, the page then shows the decision, and no script of an output runs", async () => {
  const page = await browser.newPage();
  await followLink(page);
  await page.fill("textarea", "Weigh the free tiers.");
  await page.click("button:text-is('Approve')");
  await page.waitForSelector(".notice");
  expect(await page.textContent(".notice")).toContain("Approved by ada with the review link");
  expect((await reviews.read(REF, "review"))?.review).toMatchObject({
    decision: "approved",
    comment: "Weigh the free tiers.",
  });
  await page.click("a:text-is('report')");
  expect([await page.textContent("#t"), await page.title()]).toEqual(["static", "Report"]);
  await page.close();
});
