import type { BrowserContext, Page, Response } from "playwright-core";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import type { HostAccess } from "../../lib/host-access.ts";
import { type Capture, MAX_TEXT_CHARS, type PageState } from "../../pipelines/market-analysis/capture.ts";
import { blockedBy } from "./block-page.ts";
import { type Composed, readComposed } from "./composed.ts";
import { closeConsent } from "./consent.ts";
import { navigate, requireDocument } from "./document.ts";
import { egressAway } from "./failures.ts";
import {
  endAnimations,
  keepSize,
  MAX_HEIGHT,
  type Reading,
  readPage,
  removeBypasses,
  STILL_MS,
  scrollThrough,
  watchSize,
} from "./in-page.ts";
import { watchLate } from "./in-page-late.ts";
import type { PageLinks } from "./in-page-links.ts";
import { openDetails } from "./in-page-switches.ts";
import { withOtherStates } from "./other-states.ts";
import { readPageLinks } from "./page-links.ts";
import { readRows } from "./rows.ts";
import { showAccess } from "./show-access.ts";
import { ask, draw, loaded, quiet, type Tab } from "./tab.ts";
import { watchTraffic } from "./traffic.ts";
import { settle, waitsWithin } from "./waits.ts";

export const VIEWPORT = { width: 1280, height: 800 };
const MAX_CONSOLE = 50;
/** Timers that are waited for, and how many of them where one sets the next. */
const LATE = { longestMs: 4_000, chained: 3 };

export interface Visit {
  /** What the visit itself knows of the capture. */
  readonly facts: Omit<
    Capture,
    | "artifacts"
    | "robots"
    | "capturedAt"
    | "browserSeconds"
    | "url"
    | "site"
    | "kind"
    | "discovery"
    | "locale"
    | "hostAccess"
  >;
  readonly html: string;
  readonly text: string;
  readonly screenshot: Uint8Array;
  readonly fullPage: Uint8Array;
  readonly links: PageLinks;
  readonly states: readonly PageState[];
}

export interface VisitOptions extends Pick<Tab, "url" | "allow" | "access" | "signal"> {
  readonly hostAccess: HostAccess;
  /** Cuts the waits, so that a slow page fails with a reason of its own before it. */
  readonly deadline: Date;
}

/**
 * Opens a page once and reads what it shows. The context sends everything by the egress proxy.
 * @throws TerminalError EgressRefused, HostNotFound, InvalidCertificate, RedirectLoop, NotAPage, Blocked, HttpError, EmptyPage;
 *   RetryableError EgressUnavailable, NavigationTimeout, ConnectionRefused, BadResponse, HttpError, TooManyRequests, PageUnresponsive
 */
export async function visit(context: BrowserContext, options: VisitOptions): Promise<Visit> {
  const started = performance.now();
  await Promise.all([
    context.addInitScript(removeBypasses),
    context.addInitScript(watchSize),
    context.addInitScript(watchLate, LATE),
  ]);
  const page = await context.newPage();
  const log = watchPage(context, page);
  const traffic = watchTraffic(page, options.allow);
  const wait = waitsWithin(options.deadline.getTime() - Date.now());
  const session = await context.newCDPSession(page);
  const tab: Tab = { ...options, page, session, traffic, wait };
  await page.route("**/*", (route) =>
    // Sound and film do not show on a picture. Playwright routes requests anyway, for the proxy's login.
    route.request().resourceType() === "media" ? route.abort("blockedbyclient") : route.fallback(),
  );

  await showAccess(context, page, options.url, options.hostAccess);
  const first = await navigate(tab);
  const domReady = await loaded(tab, "domcontentloaded", wait.dom);
  await requireDocument(tab);
  const complete = domReady && (await loaded(tab, "load", wait.load));
  await settle(traffic.pending, wait.quiet);

  const consentClosed = await ask(tab, closeConsent);
  await ask(tab, () => page.evaluate(openDetails));
  const taken = await ask(tab, () => page.evaluate(scrollThrough, MAX_HEIGHT));
  const cutRows = await readRows(tab, taken);
  const endAll = () => ask(tab, () => page.evaluate(endAnimations, STILL_MS));
  await endAll();
  const whole = await quiet(tab);
  await endAll();
  // Scripts may have navigated elsewhere meanwhile.
  const response = await requireDocument(tab);
  if (traffic.lostProxy()) throw egressAway(`the egress proxy went away while ${options.url.host} loaded`);

  const [reading, shown, links] = await Promise.all([
    ask(tab, () => page.evaluate(readPage)),
    ask(tab, () => readComposed(tab)),
    ask(tab, () => readPageLinks(tab)),
  ]);
  const block = blockedBy({ ...shown, title: reading.title, status: response.status(), headers: response.headers() });
  if (block) throw new TerminalError("Blocked", `${options.url.host} shows a block page: ${block}`);
  if (shown.text.trim() === "" && !reading.visual) throw new TerminalError("EmptyPage", `${page.url()} shows nothing`);

  const screenshot = await draw(tab, { format: "png" });
  await ask(tab, () => page.evaluate(keepSize));
  const fullPage = await drawFullPage(tab, drawnHeight(reading));
  const finalUrl = page.url();
  const read = await withOtherStates(tab, shown, options.deadline.getTime() - Date.now());
  return {
    facts: {
      finalUrl,
      ...(links.canonical === "" ? {} : { canonical: links.canonical }),
      redirects: redirectsOf(first),
      status: response.status(),
      title: reading.title,
      lang: reading.lang,
      description: reading.description,
      timings: timingsOf(reading, performance.now() - started, complete),
      viewport: VIEWPORT,
      pageHeight: reading.height,
      drawnHeight: fullPage ? drawnHeight(reading) : VIEWPORT.height,
      truncated: [
        ...cuts(reading, shown, domReady, complete),
        ...(whole || !complete ? [] : [CHANGING]),
        ...cutRows,
        ...read.caveats,
        ...(fullPage ? [] : [NOT_DRAWN]),
      ],
      ...(consentClosed === undefined ? {} : { consentClosed }),
      console: log,
      egress: await traffic.egress(),
    },
    html: read.html,
    text: read.text,
    states: read.states,
    screenshot,
    fullPage: fullPage ?? (await asJpeg(screenshot)),
    links,
  };
}

const CHANGING = "taken while the page was still changing: what came later is missing";
const NOT_DRAWN = "the full page could not be drawn in time: its picture shows the viewport only";
const QUALITY = 70;

function drawnHeight({ height }: Reading): number {
  return Math.max(1, Math.min(height, MAX_HEIGHT));
}

/** Undefined where Chromium cannot draw the whole page in time: 130,000 elements take it over ten seconds. */
async function drawFullPage(tab: Tab, height: number): Promise<Uint8Array | undefined> {
  const clip = { x: 0, y: 0, width: VIEWPORT.width, height, scale: 1 };
  try {
    return await draw(tab, { format: "jpeg", quality: QUALITY, clip });
  } catch (error) {
    if (error instanceof RetryableError && error.reason === "PageUnresponsive") return undefined;
    throw error;
  }
}

/** Rarely needed, and loading sharp would slow each start. */
async function asJpeg(png: Uint8Array): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return await sharp(png).jpeg({ quality: QUALITY }).toBuffer();
}

/** Dismisses dialogs, closes popups, keeps errors and warnings. @returns the console's lines, as they come */
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

function cuts(reading: Reading, shown: Composed, domReady: boolean, complete: boolean): string[] {
  return [
    ...(shown.cut ? [`DOM cut at ${(shown.html.length / 1_000_000).toFixed(1)} million characters`] : []),
    ...(shown.textLength > MAX_TEXT_CHARS ? [`text cut at ${MAX_TEXT_CHARS} of ${shown.textLength} characters`] : []),
    ...shown.caveats,
    ...(reading.height > MAX_HEIGHT ? [`full page drawn to ${MAX_HEIGHT} of ${reading.height} pixels`] : []),
    ...(domReady ? [] : ["taken while the document was still arriving"]),
    ...(domReady && !complete ? ["taken before everything had loaded"] : []),
  ];
}
