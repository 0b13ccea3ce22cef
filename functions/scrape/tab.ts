import type { Page } from "playwright-core";
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

/** True when the state was reached in time. */
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
 * Asks the page something, again when it navigated by itself meanwhile.
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

/**
 * A picture by CDP's own command: Playwright's screenshot walks all of the DOM and waits for fonts, which a page of ten
 * megabytes or one font that never comes makes endless.
 * @throws RetryableError PageUnresponsive
 */
export async function draw(
  { page, wait }: Tab,
  options: { readonly format: "png" } | { readonly format: "jpeg"; readonly quality: number; readonly clip: Clip },
): Promise<Uint8Array> {
  const session = await page.context().newCDPSession(page);
  const shot = session.send("Page.captureScreenshot", { ...options, captureBeyondViewport: "clip" in options });
  const { data } = await answerWithin(wait.picture, "picture", shot);
  await session.detach();
  return Buffer.from(data, "base64");
}

interface Clip {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly scale: number;
}
