/**
 * Pictures of a page for whoever writes the truth about it: `node bench/extraction/corpus/look.ts [--click TEXT] PART PACKAGE PATH...`.
 * The picture is cut into pieces that can be read; the rendered text stands beside them, to spell what was seen. --click presses a switch first,
 * to see its other state.
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { startChromium } from "../../../lib/edges/chromium.ts";
import { cache } from "../../../test/cluster/paths.ts";
import { hostOf, PARTS, packagesOf } from "./parts.ts";
import { startCorpusSites } from "./sites.ts";

const SLICE = 1600;
const MAX_SLICES = 12;

const { values, positionals } = parseArgs({ options: { click: { type: "string" } }, allowPositionals: true });
const [part, name, ...paths] = positionals;
const known = PARTS.find((one) => one === part);
if (known === undefined || name === undefined || paths.length === 0) {
  console.error("usage: look.ts [--click TEXT] PART PACKAGE PATH...");
  process.exit(2);
}
const sites = await startCorpusSites(packagesOf(known));
const program = await startChromium();
const browser = await chromium.connectOverCDP(await program.open());
try {
  for (const path of paths) await look(path);
} finally {
  await browser.close();
  await program.stop();
  await sites.close();
}

async function look(path: string): Promise<void> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-US" });
  const host = hostOf(name ?? "");
  // What is not of this site is not there, as in a capture.
  await context.route("**", async (route) => {
    const url = new URL(route.request().url());
    if (url.protocol === "data:" || url.protocol === "blob:") return route.continue();
    if (url.hostname !== host) return route.abort();
    const answer = await sites.answer(url.href);
    const body = Buffer.from(await answer.arrayBuffer());
    return route.fulfill({ status: answer.status, headers: Object.fromEntries(answer.headers), body });
  });
  const page = await context.newPage();
  await page
    .goto(`http://${host}${path}`, { waitUntil: "load", timeout: 60_000 })
    .catch((cause) => console.error(cause));
  await page.waitForTimeout(1500);
  if (values.click !== undefined) await page.getByText(values.click).first().click({ timeout: 5000 });
  const height = await page.evaluate(async () => {
    const pause = () => new Promise((resolve) => setTimeout(resolve, 150));
    for (let y = 0; y < document.documentElement.scrollHeight && y < 30_000; y += 600) {
      window.scrollTo(0, y);
      await pause();
    }
    window.scrollTo(0, 0);
    await pause();
    return document.documentElement.scrollHeight;
  });
  await page.waitForTimeout(1000);
  const folder = join(cache, "corpus-pictures", host, path.replace(/[^a-z0-9]+/gi, "-"));
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (let slice = 0; slice * SLICE < height && slice < MAX_SLICES; slice++) {
    const clip = { x: 0, y: slice * SLICE, width: 1280, height: Math.min(SLICE, height - slice * SLICE) };
    await page.screenshot({ path: join(folder, `${slice}.png`), clip, fullPage: true });
  }
  // biome-ignore lint/performance/useDomNodeTextContent: what is drawn, without what is hidden.
  writeFileSync(join(folder, "text.txt"), await page.innerText("body"));
  console.log(`${folder}: ${height} pixels high`);
  await context.close();
}
