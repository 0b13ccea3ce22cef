/** `node docs/pictures.ts`: the pictures of the README, of a run over the sample sites: its review page and the report that follows. */
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { startSampleSites } from "../examples/serve.ts";
import { startChromium } from "../lib/edges/chromium.ts";
import { agentic, EXAMPLE } from "../test/e2e/cli.ts";

const FOLDER = join(import.meta.dirname, "pictures");
const SIZE = { width: 1200, height: 900 };

const out = await mkdtemp(join(tmpdir(), "agentic-pictures-"));
const [sites, browser] = await Promise.all([startSampleSites({}), startChromium()]);
const resolved = sites.hosts.flatMap((host) => ["--resolve", `${host}=127.0.0.1:${sites.port}`]);
const run = agentic(["run", EXAMPLE, "--out", out, ...resolved]);
try {
  const connection = await chromium.connectOverCDP(await browser.endpoint());
  const page = await (await connection.newContext({ viewport: SIZE, deviceScaleFactor: 2 })).newPage();
  await page.goto(await run.said(/http:\/\/127\.0\.0\.1:\d+\/review\/\S+(?=\n)/));
  await take(page, "review");
  await page.locator("button[value=approved]").first().click();
  const { code, stderr } = await run.ended;
  if (code !== 0) throw new Error(stderr);
  await page.goto(`file://${out}/report.html`);
  await take(page, "report");
  await connection.close();
} finally {
  run.child.kill();
  await Promise.all([run.ended, sites.close(), browser.stop()]);
  await rm(out, { recursive: true, force: true });
}

/** As large as a README shows it on a fine screen, in as many colours as it needs. */
async function take(page: Page, name: string): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  const file = join(FOLDER, `${name}.png`);
  const { size } = await sharp(await page.screenshot())
    .resize(1600)
    .png({ palette: true, quality: 80 })
    .toFile(file);
  console.log(`${file}: ${Math.round(size / 1024)} KiB`);
}
