/** What a hand-written script would do: visit each page, keep its DOM, its text and two screenshots. `bare-loop.ts PORT REPLICAS URL...` */

import pLimit from "p-limit";
import { chromium } from "playwright-core";
import { startChromium } from "../../lib/edges/chromium.ts";

const [port, replicas, ...urls] = process.argv.slice(2);
const chromiumProcess = await startChromium();
const browser = await chromium.connectOverCDP(await chromiumProcess.endpoint());
const limit = pLimit(Number(replicas));
let bytes = 0;
await Promise.all(
  urls.map((url) =>
    limit(async () => {
      // The sample server is told by the Host header which site is asked for; the proxy setting brings every name to it.
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        proxy: { server: `http://127.0.0.1:${port}`, bypass: "<-loopback>" },
      });
      const page = await context.newPage();
      await page.goto(url, { waitUntil: "load", timeout: 60_000 });
      // biome-ignore lint/performance/useDomNodeTextContent: what a visitor reads, as our scrape keeps it.
      bytes += (await page.content()).length + (await page.innerText("body")).length;
      bytes += (await page.screenshot()).length;
      bytes += (await page.screenshot({ fullPage: true, type: "jpeg", quality: 70 })).length;
      await context.close();
    }),
  ),
);
await browser.close();
await chromiumProcess.stop();
console.log(`${urls.length} pages, ${(bytes / 1e6).toFixed(1)} MB`);
