/** A bare loop over pages, in one browser. `bare-loop.ts PORT REPLICAS URL...` */

import pLimit from "p-limit";
import { chromium } from "playwright-core";
import { startChromium } from "../../lib/edges/chromium.ts";
import { contextFor, visit } from "./visit.ts";

const [port, replicas, ...urls] = process.argv.slice(2);
const chromiumProcess = await startChromium();
const browser = await chromium.connectOverCDP(await chromiumProcess.endpoint());
const limit = pLimit(Number(replicas));
let bytes = 0;
await Promise.all(
  urls.map((url) =>
    limit(async () => {
      const context = await browser.newContext(contextFor(port ?? ""));
      bytes += await visit(context, url);
      await context.close();
    }),
  ),
);
await browser.close();
await chromiumProcess.stop();
console.log(`${urls.length} pages, ${(bytes / 1e6).toFixed(1)} MB`);
