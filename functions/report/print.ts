import type { Browser } from "../../lib/edges/browser.ts";
import { RetryableError } from "../../lib/errors.ts";

/** The page as an A4 PDF, tagged and with an outline. No script runs and nothing is loaded. Has the report's date, so that equal pages give equal bytes. */
export async function printPdf(browser: Browser, page: string, date: string, signal: AbortSignal): Promise<Uint8Array> {
  const pdf = await browser.withContext(
    { javaScriptEnabled: false, offline: true, colorScheme: "light" },
    signal,
    async (context) => {
      const tab = await context.newPage();
      await tab.setContent(page, { waitUntil: "load" });
      return tab.pdf({ format: "A4", preferCSSPageSize: true, printBackground: true, tagged: true, outline: true });
    },
  );
  if (pdf.subarray(0, 5).toString("latin1") !== "%PDF-")
    throw new RetryableError("PrintFailed", "the browser made no PDF");
  return dated(pdf, date);
}

/** Replaces the browser's clock in the file by the report's date, which has the same length. */
function dated(pdf: Buffer, date: string): Uint8Array {
  const stamp = date.replace(/\D/g, "").slice(0, 14);
  const text = pdf
    .toString("latin1")
    .replace(/\/(CreationDate|ModDate) \(D:\d{14}/g, (_match, name: string) => `/${name} (D:${stamp}`);
  return Buffer.from(text, "latin1");
}
