import { setTimeout as sleep } from "node:timers/promises";
import type { CDPSession, Page } from "playwright-core";
import type { EgressAccess } from "../../lib/edges/egress-access.ts";
import { isChanging } from "./in-page-late.ts";
import type { Traffic } from "./traffic.ts";
import { answerWithin, type Waits } from "./waits.ts";

/** One visit: its page, and what its parts need to know. */
export interface Tab {
  readonly page: Page;
  /** Of the page: for what Playwright has no question. */
  readonly session: CDPSession;
  readonly traffic: Traffic;
  readonly wait: Waits;
  /** The site's, before redirects. */
  readonly url: URL;
  /** Hosts that the egress proxy lets the visit reach. */
  readonly allow: readonly string[];
  readonly access: EgressAccess;
  readonly signal: AbortSignal;
}

/** Whether the page reached the state within `timeout` milliseconds. */
export async function loaded(tab: Tab, state: "domcontentloaded" | "load", timeout: number): Promise<boolean> {
  return await Promise.race([tab.page.waitForLoadState(state, { timeout }), tab.traffic.looped]).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && error.name === "TimeoutError") return false;
      throw error;
    },
  );
}

/**
 * Asks the page a question, again when it navigated by itself meanwhile.
 * @throws RetryableError PageUnresponsive; TerminalError RedirectLoop
 */
export async function ask<T>(tab: Tab, question: (page: Page) => Promise<T>): Promise<T> {
  const { page, traffic, wait } = tab;
  for (;;) {
    try {
      return await answerWithin(wait.script, "answer", Promise.race([question(page), traffic.looped]));
    } catch (error) {
      const navigated =
        error instanceof Error && /Execution context was destroyed|navigat|detached/i.test(error.message);
      if (!navigated) throw error;
      await loaded(tab, "domcontentloaded", wait.load);
    }
  }
}

/** A page that has not changed for so long, and is not about to, is taken for whole. */
const QUIET_MS = 100;
/** One after the other: an answer has arrived a moment before the script that waits for it goes on, longer on a busy machine. */
const QUIET_LOOKS = 3;
const POLL_MS = 25;

/** Of the wait, at most, for what scripts fade and move: some have no end, and say nothing new. */
const MOVES = 0.3;

/** Waits until scripts add nothing more: no request, timer or change is under way. @returns false when there was no end to it */
export async function quiet(tab: Tab): Promise<boolean> {
  const began = performance.now();
  const until = began + tab.wait.late;
  for (let looks = 0; ; ) {
    const moves = performance.now() < began + MOVES * tab.wait.late;
    const changing = await ask(tab, (page) => page.evaluate(isChanging, { quietMs: QUIET_MS, moves }));
    looks = changing || tab.traffic.loading() ? 0 : looks + 1;
    if (looks === QUIET_LOOKS) return true;
    if (performance.now() >= until) return false;
    await sleep(POLL_MS);
  }
}

/**
 * A picture by CDP's own command: Playwright's screenshot walks the whole DOM and waits for fonts, which never ends on a page of ten
 * megabytes or with a font that never arrives.
 * @throws RetryableError PageUnresponsive
 */
export async function draw(
  { session, wait }: Tab,
  options: { readonly format: "png" } | { readonly format: "jpeg"; readonly quality: number; readonly clip: Clip },
): Promise<Uint8Array> {
  const shot = session.send("Page.captureScreenshot", { ...options, captureBeyondViewport: "clip" in options });
  const { data } = await answerWithin(wait.picture, "picture", shot);
  return Buffer.from(data, "base64");
}

interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}
