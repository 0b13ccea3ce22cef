import { connectBrowser } from "../../lib/edges/browser.ts";
import { startChromium } from "../../lib/edges/chromium.ts";

// Started by browser.test.ts as another user: what Chromium says of its sandbox.

const chromium = await startChromium();
const browser = connectBrowser(chromium.open, chromium.directory);
const said = await browser.withContext({}, new AbortController().signal, async (context) => {
  const page = await context.newPage();
  await page.goto("chrome://sandbox");
  await page.waitForFunction("/sandboxed/.test(document.body.innerText)");
  return page.evaluate("document.body.innerText");
});
console.log(String(said).replaceAll(/\s+/g, " "));
await browser.close();
await chromium.stop();
