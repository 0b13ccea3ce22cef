import type { BrowserContext, Page, Response } from "playwright-core";
import { hostAllowed } from "../../lib/allow-list.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { Capture } from "../../pipeline/capture.ts";
import { blockedBy } from "./block-page.ts";
import { closeConsent } from "./consent.ts";
import { isPage, navigationFailure, proxyRefusal, statusFailure } from "./failures.ts";
import {
  closeSideDoors,
  MAX_DOM_CHARS,
  MAX_HEIGHT,
  MAX_TEXT_CHARS,
  type Reading,
  readPage,
  scrollThrough,
} from "./in-page.ts";
import { answerWithin, settle } from "./patience.ts";
import { openTunnel, type ProxyAccess } from "./through-proxy.ts";
import { type Traffic, watchTraffic } from "./traffic.ts";

export const VIEWPORT = { width: 1280, height: 800 };

/** Longest waits in milliseconds. A visit that has no time left is ended by the signal of its step. */
const WAIT = { answer: 30_000, dom: 15_000, load: 5_000, quiet: 500, script: 10_000, screenshot: 15_000 };
const MAX_CONSOLE = 50;
/** Documents that a page may go through by itself before it counts as a loop. */
const MAX_NAVIGATIONS = 8;

export interface Visit {
  /** All of the capture but where its bytes are, and what robots.txt said. */
  readonly facts: Omit<Capture, "artifacts" | "robots" | "capturedAt" | "url">;
  readonly html: string;
  readonly text: string;
  readonly screenshot: Uint8Array;
  readonly fullPage: Uint8Array;
}

export interface VisitOptions {
  readonly url: URL;
  readonly allow: readonly string[];
  readonly proxy: ProxyAccess;
  readonly signal: AbortSignal;
}

/**
 * Goes to a page once and takes it in. The context's proxy is the job's.
 * @throws TerminalError EgressRefused, HostNotFound, InvalidCertificate, RedirectLoop, NotAPage, Blocked, HttpError, EmptyPage;
 *   RetryableError NavigationTimeout, ConnectionRefused, BadResponse, HttpError, TooManyRequests, PageUnresponsive
 */
export async function visit(context: BrowserContext, options: VisitOptions): Promise<Visit> {
  const started = performance.now();
  await context.addInitScript(closeSideDoors);
  const page = await context.newPage();
  const log = watchPage(context, page);
  const traffic = watchTraffic(page, options.allow);
  await page.route("**/*", (route) =>
    // Sound and film do not show on a picture; routing is on already for the proxy's credentials.
    route.request().resourceType() === "media" ? route.abort("blockedbyclient") : route.fallback(),
  );

  const first = await navigate(page, traffic, options);
  const redirects = redirectsOf(first);
  const domReady = await loaded(page, "domcontentloaded", WAIT.dom);
  await requireDocument(page, traffic, options);
  const complete = domReady && (await loaded(page, "load", WAIT.load));
  await settle(traffic.pending, WAIT.quiet);

  const consentClosed = await steady(page, traffic, "script", () => closeConsent(page));
  await steady(page, traffic, "script", () => page.evaluate(scrollThrough, MAX_HEIGHT));
  await settle(traffic.pending, WAIT.quiet);
  // Scripts may have led elsewhere meanwhile.
  const response = await requireDocument(page, traffic, options);

  const reading = await steady(page, traffic, "text", () =>
    page.evaluate(readPage, { dom: MAX_DOM_CHARS, text: MAX_TEXT_CHARS }),
  );
  const block = blockedBy({ ...reading, status: response.status(), headers: response.headers() });
  if (block) throw new TerminalError("Blocked", `${options.url.host} shows a block page: ${block}`);
  if (reading.text.trim() === "" && !reading.visual)
    throw new TerminalError("EmptyPage", `${page.url()} shows nothing`);

  const drawn = Math.max(1, Math.min(reading.height, MAX_HEIGHT));
  const screenshot = await draw(page, { type: "png" });
  const fullPage = await draw(page, {
    type: "jpeg",
    quality: 70,
    fullPage: true,
    clip: { x: 0, y: 0, width: VIEWPORT.width, height: drawn },
  });
  return {
    facts: {
      finalUrl: page.url(),
      redirects,
      status: response.status(),
      title: reading.title,
      lang: reading.lang,
      description: reading.description,
      timings: timingsOf(reading, performance.now() - started, complete),
      viewport: VIEWPORT,
      pageHeight: reading.height,
      truncated: cuts(reading, domReady, complete),
      ...(consentClosed === undefined ? {} : { consentClosed }),
      console: log,
      egress: await traffic.egress(),
    },
    html: reading.html,
    text: reading.text,
    screenshot,
    fullPage,
  };
}

/** Dialogs are dismissed, popups closed, complaints kept. */
function watchPage(context: BrowserContext, page: Page): Capture["console"] {
  const log: Capture["console"] = [];
  const note = (level: "error" | "warning", text: string) => {
    if (log.length < MAX_CONSOLE) log.push({ level, text: text.slice(0, 300) });
  };
  page.on("console", (message) => {
    const type = message.type();
    if (type === "error" || type === "warning") note(type, message.text());
  });
  page.on("pageerror", (error) => note("error", String(error)));
  page.on("dialog", (dialog) => void dialog.dismiss().catch(() => undefined));
  context.on("page", (other) => {
    if (other !== page) void other.close().catch(() => undefined);
  });
  return log;
}

async function navigate(page: Page, traffic: Traffic, options: VisitOptions): Promise<Response> {
  try {
    const response = await page.goto(options.url.href, { waitUntil: "commit", timeout: WAIT.answer });
    if (response) return response;
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw await explain(
      error.message,
      traffic.lastFailure()?.url ?? options.url.href,
      traffic.lastDocument(),
      options,
      error,
    );
  }
  throw new RetryableError("BadResponse", `${options.url.host} gave no document`);
}

/** Why a navigation failed. Chromium does not say why a tunnel was not opened: the proxy is asked again, and it does. */
async function explain(
  message: string,
  failed: string,
  answered: Response | undefined,
  { url, allow, proxy, signal }: VisitOptions,
  cause?: Error,
): Promise<unknown> {
  const target = URL.canParse(failed) ? new URL(failed) : url;
  if (/ERR_ABORTED|Download is starting/.test(message)) {
    const type = answered?.headers()["content-type"];
    return new TerminalError("NotAPage", `${target.href} is no page${type ? ` but ${type}` : ""}`);
  }
  if (/ERR_TUNNEL_CONNECTION_FAILED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_(CLOSED|RESET)/.test(message)) {
    if (!hostAllowed(target.hostname, allow)) return proxyRefusal(403, "HostNotAllowed", target);
    if (target.protocol === "https:") {
      try {
        (await openTunnel(proxy, target, signal)).destroy();
      } catch (reason) {
        return reason;
      }
    }
    return new RetryableError("BadResponse", `${target.host} ended the connection without an answer`, { cause });
  }
  return navigationFailure(message, target) ?? cause ?? new RetryableError("BadResponse", `${target.host}: ${message}`);
}

/** The document that the page shows now, or the reason why it is none of the site. */
async function requireDocument(page: Page, traffic: Traffic, options: VisitOptions): Promise<Response> {
  const failure = traffic.lastFailure();
  if (failure) throw await explain(failure.errorText, failure.url, traffic.lastDocument(), options);
  const response = traffic.lastDocument();
  if (!response) throw new RetryableError("BadResponse", `${options.url.host} gave no document`);
  const url = new URL(response.url());
  const headers = response.headers();
  const refusal = proxyRefusal(response.status(), headers["agentic-egress"], url);
  if (refusal) throw refusal;
  if (!isPage(headers["content-type"]) && response.status() < 400)
    throw new TerminalError("NotAPage", `${url.href} is no page but ${headers["content-type"]}`);
  if (response.status() < 400) return response;
  const seen = await steady(page, traffic, "text", () => page.evaluate(readPage, { dom: 200_000, text: 20_000 }));
  const block = blockedBy({ ...seen, status: response.status(), headers });
  if (block) throw new TerminalError("Blocked", `${url.host} answers ${response.status()} with a block page: ${block}`);
  throw statusFailure(response.status(), url, headers["retry-after"]) ?? new TerminalError("HttpError", url.href);
}

async function loaded(page: Page, state: "domcontentloaded" | "load", timeout: number): Promise<boolean> {
  return await page.waitForLoadState(state, { timeout }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && error.name === "TimeoutError") return false;
      throw error;
    },
  );
}

/** Asks the page something, again when it navigated by itself meanwhile. */
async function steady<T>(page: Page, traffic: Traffic, what: string, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await answerWithin(WAIT.script, what, ask());
    } catch (error) {
      const navigated =
        error instanceof Error && /Execution context was destroyed|navigat|detached/i.test(error.message);
      if (!navigated) throw error;
      if (traffic.navigations() > MAX_NAVIGATIONS)
        throw new TerminalError("RedirectLoop", `${page.url()} leads on and on, ${traffic.navigations()} times so far`);
      await loaded(page, "domcontentloaded", WAIT.load);
    }
  }
}

async function draw(page: Page, options: NonNullable<Parameters<Page["screenshot"]>[0]>): Promise<Uint8Array> {
  const picture = page.screenshot({ animations: "disabled", timeout: WAIT.screenshot, ...options });
  return await answerWithin(WAIT.screenshot, "picture", picture).catch((error: unknown) => {
    if (error instanceof Error && error.name === "TimeoutError")
      throw new RetryableError("PageUnresponsive", "the page could not be drawn in time", { cause: error });
    throw error;
  });
}

function redirectsOf(response: Response): string[] {
  const urls: string[] = [];
  for (let request = response.request().redirectedFrom(); request; request = request.redirectedFrom())
    urls.unshift(request.url());
  return urls;
}

function timingsOf(reading: Reading, totalMs: number, complete: boolean): Capture["timings"] {
  const round = (ms: number) => Math.round(ms * 10) / 10;
  return {
    responseMs: round(reading.responseMs),
    domContentLoadedMs: round(reading.domContentLoadedMs),
    loadMs: complete && reading.loadMs > 0 ? round(reading.loadMs) : null,
    totalMs: round(totalMs),
  };
}

function cuts(reading: Reading, domReady: boolean, complete: boolean): string[] {
  const mega = (chars: number) => `${(chars / 1_000_000).toFixed(1)} M characters`;
  return [
    ...(reading.htmlLength > MAX_DOM_CHARS ? [`DOM cut at ${mega(MAX_DOM_CHARS)} of ${mega(reading.htmlLength)}`] : []),
    ...(reading.textLength > MAX_TEXT_CHARS
      ? [`text cut at ${MAX_TEXT_CHARS} of ${reading.textLength} characters`]
      : []),
    ...(reading.height > MAX_HEIGHT ? [`full page drawn to ${MAX_HEIGHT} of ${reading.height} pixels`] : []),
    ...(domReady ? [] : [`taken while the document was still arriving, after ${WAIT.dom / 1000} s`]),
    ...(domReady && !complete ? [`taken before everything had loaded, after ${WAIT.load / 1000} s`] : []),
  ];
}
