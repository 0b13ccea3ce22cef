import type { BrowserContext, BrowserContextOptions } from "playwright-core";

/** The sample server is told by the Host header which site is asked for; the proxy setting brings every name to it. */
export const contextFor = (port: number | string): BrowserContextOptions => ({
  viewport: { width: 1280, height: 800 },
  proxy: { server: `http://127.0.0.1:${port}`, bypass: "<-loopback>" },
});

/** What a hand-written script would do: visits a page, and keeps its DOM, its text and two screenshots. @returns how many bytes these are */
export async function visit(context: BrowserContext, url: string): Promise<number> {
  const page = await context.newPage();
  // On a busy machine a figure is bad, and no error.
  page.setDefaultTimeout(5 * 60_000);
  await page.goto(url, { waitUntil: "load" });
  // biome-ignore lint/performance/useDomNodeTextContent: what a visitor reads, as our scrape keeps it.
  const text = (await page.content()).length + (await page.innerText("body")).length;
  const screenshot = await page.screenshot();
  const full = await page.screenshot({ fullPage: true, type: "jpeg", quality: 70 });
  return text + screenshot.length + full.length;
}
