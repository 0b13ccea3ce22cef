import {
  type AgentEdges,
  browserProxy,
  RetryableError,
  type StepContext,
  TerminalError,
} from "agentic-kubernetes/agent";
import type { BrowserContext, Page, Response } from "playwright-core";

export const VIEWPORT = { width: 1280, height: 800 };
const DOCUMENT_MS = 30_000;
const LOAD_MS = 10_000;
const QUIET_MS = 2_000;

/** Lends a browser context whose traffic goes through the egress proxy. @returns what `use` returns, and the seconds it took */
export async function inBrowser<T>(
  edges: AgentEdges,
  context: StepContext,
  use: (browser: BrowserContext) => Promise<T>,
): Promise<{ value: T; browserSeconds: number }> {
  const started = performance.now();
  const options = {
    proxy: browserProxy(edges, context),
    viewport: VIEWPORT,
    acceptDownloads: false,
    serviceWorkers: "block",
    // Text that fades in is judged by its final colours.
    reducedMotion: "reduce",
    locale: "en-US",
  } as const;
  const value = await edges.browser.withContext(options, context.signal, use);
  return { value, browserSeconds: Math.round(performance.now() - started) / 1000 };
}

/**
 * Opens a page and waits until it has loaded. `complete`: false when it still loaded after 10 seconds.
 * @throws TerminalError EgressRefused, HttpError, NotAPage; RetryableError HttpError, Unreachable
 */
export async function open(page: Page, url: string): Promise<{ response: Response; complete: boolean }> {
  const response = await page.goto(url, { waitUntil: "domcontentloaded", timeout: DOCUMENT_MS }).catch((cause) => {
    throw new RetryableError("Unreachable", `${url} did not open: ${firstLine(cause)}`, { cause });
  });
  if (!response) throw new RetryableError("Unreachable", `${url} gave no document`);
  checkDocument(url, response);
  const complete = await page.waitForLoadState("load", { timeout: LOAD_MS }).then(
    () => true,
    () => false,
  );
  // Scripts may add to the page once it has loaded.
  await page.waitForLoadState("networkidle", { timeout: QUIET_MS }).catch(() => undefined);
  return { response, complete };
}

function checkDocument(url: string, response: Response): void {
  const headers = response.headers();
  const refused = headers["agentic-egress"];
  if (refused) throw new TerminalError("EgressRefused", `the egress proxy refused ${response.url()}: ${refused}`);
  const status = response.status();
  if (status === 429 || status >= 500) throw new RetryableError("HttpError", `${url} answers ${status}`);
  if (status >= 400) throw new TerminalError("HttpError", `${url} answers ${status}`);
  if (!isHtml(headers["content-type"]))
    throw new TerminalError("NotAPage", `${url} is not HTML but ${headers["content-type"] ?? "of no type"}`);
}

export function isHtml(contentType: string | null | undefined): boolean {
  return /^(text\/html|application\/xhtml\+xml)\b/i.test(contentType ?? "");
}

export function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
