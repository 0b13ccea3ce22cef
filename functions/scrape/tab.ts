import type { Page } from "playwright-core";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { answerWithin, type Waits } from "./patience.ts";
import type { ProxyAccess } from "./through-proxy.ts";
import type { Traffic } from "./traffic.ts";

/** One visit's page and all that its parts need to know. */
export interface Tab {
  readonly page: Page;
  readonly traffic: Traffic;
  readonly wait: Waits;
  /** As asked for. */
  readonly url: URL;
  readonly allow: readonly string[];
  readonly proxy: ProxyAccess;
  readonly signal: AbortSignal;
}

/** Documents that a page may go through by itself before it counts as a loop. */
const MAX_NAVIGATIONS = 8;

/** True when the state was reached in time. */
export async function loaded(tab: Tab, state: "domcontentloaded" | "load", timeout: number): Promise<boolean> {
  return await tab.page.waitForLoadState(state, { timeout }).then(
    () => true,
    (error: unknown) => {
      if (error instanceof Error && error.name === "TimeoutError") return false;
      throw error;
    },
  );
}

/**
 * Asks the page something, again when it navigated by itself meanwhile.
 * @throws RetryableError PageUnresponsive; TerminalError RedirectLoop
 */
export async function ask<T>(tab: Tab, question: (page: Page) => Promise<T>): Promise<T> {
  const { page, traffic, wait } = tab;
  for (;;) {
    try {
      return await answerWithin(wait.script, "answer", question(page));
    } catch (error) {
      const navigated =
        error instanceof Error && /Execution context was destroyed|navigat|detached/i.test(error.message);
      if (!navigated) throw error;
      if (traffic.navigations() > MAX_NAVIGATIONS)
        throw new TerminalError("RedirectLoop", `${page.url()} leads on and on, ${traffic.navigations()} times so far`);
      await loaded(tab, "domcontentloaded", wait.load);
    }
  }
}

/** @throws RetryableError PageUnresponsive */
export async function draw(
  { page, wait }: Tab,
  options: NonNullable<Parameters<Page["screenshot"]>[0]>,
): Promise<Uint8Array> {
  const picture = page.screenshot({ animations: "disabled", timeout: wait.picture, ...options });
  return await answerWithin(wait.picture, "picture", picture).catch((error: unknown) => {
    if (error instanceof Error && error.name === "TimeoutError")
      throw new RetryableError("PageUnresponsive", "the page could not be drawn in time", { cause: error });
    throw error;
  });
}
