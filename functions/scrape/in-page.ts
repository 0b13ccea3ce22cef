/// <reference lib="dom" />

/** CSS pixels of the page to scroll through and to draw. */
export const MAX_HEIGHT = 12_000;

export interface Reading {
  readonly title: string;
  readonly lang: string;
  readonly description: string;
  readonly height: number;
  /** Whether the page shows anything but text: pictures, drawings, forms. */
  readonly visual: boolean;
  readonly responseMs: number;
  readonly domContentLoadedMs: number;
  readonly loadMs: number;
}

/** Runs in the page: what is known of it beside its content. */
export function readPage(): Reading {
  const root = document.documentElement;
  const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
  const meta = document.querySelector('meta[name="description" i],meta[property="og:description"]');
  return {
    title: document.title.slice(0, 500),
    lang: (root?.lang ?? "").slice(0, 35),
    description: (meta?.getAttribute("content") ?? "").slice(0, 1000),
    height: Math.ceil(Math.max(root?.scrollHeight ?? 0, document.body?.scrollHeight ?? 0)),
    visual: document.querySelector("img,svg,canvas,picture,video,iframe,input,object,embed") !== null,
    responseMs: navigation?.responseStart ?? 0,
    domContentLoadedMs: navigation?.domContentLoadedEventEnd ?? 0,
    loadMs: navigation?.loadEventEnd ?? 0,
  };
}

/** Runs in the page: the beginning of an answer that may be no page of the site. `limits` in characters. */
export function readAnswer(limits: { dom: number; text: number }): { html: string; text: string; title: string } {
  // biome-ignore lint/performance/useDomNodeTextContent: what a reader sees, without scripts and hidden parts
  const text = document.body?.innerText ?? "";
  return {
    html: `<!DOCTYPE html>${document.documentElement?.outerHTML ?? ""}`.slice(0, limits.dom),
    text: text.slice(0, limits.text),
    title: document.title.slice(0, 500),
  };
}

/**
 * Runs in the page: scrolls down to `maxHeight` once, so that lazy content loads, and back to the top.
 * @returns whether words were taken away meanwhile, as by a list that holds only what it shows
 */
export async function scrollThrough(maxHeight: number): Promise<boolean> {
  const frame = () =>
    new Promise<void>((done) => {
      requestAnimationFrame(() => done());
      // A hidden or busy page draws no frames.
      setTimeout(done, 50);
    });
  const height = () => Math.max(document.documentElement.scrollHeight, document.body?.scrollHeight ?? 0);
  for (const image of document.querySelectorAll<HTMLImageElement>('img[loading="lazy"]')) image.loading = "eager";
  let taken = false;
  const observer = new MutationObserver((changes) => {
    taken ||= changes.some(
      ({ type, removedNodes }) =>
        type === "characterData" || [...removedNodes].some((node) => /\S/.test(node.textContent ?? "")),
    );
  });
  if (document.body) observer.observe(document.body, { childList: true, characterData: true, subtree: true });
  for (let y = innerHeight; y < Math.min(height(), maxHeight); y += innerHeight) {
    scrollTo({ top: y, behavior: "instant" });
    await frame();
  }
  observer.disconnect();
  scrollTo({ top: 0, behavior: "instant" });
  await frame();
  return taken;
}

/** Milliseconds of an animation without an end at which it is drawn. */
export const STILL_MS = 2_000;

/**
 * Runs in the page: brings animations to their end, for what fades in belongs on the picture, and stops those without one at the same moment
 * each time, so that a page that has not changed is drawn alike.
 */
export function endAnimations(stillMs: number): void {
  for (const animation of document.getAnimations())
    try {
      if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
      else {
        animation.pause();
        animation.currentTime = stillMs;
      }
    } catch {
      // Of one that stands still, or that scrolling drives, there is neither.
    }
}

interface World {
  agenticKeepsSize?: boolean;
}

/** Runs before any script of a page, whose listeners come later: see keepSize. */
export function watchSize(): void {
  addEventListener("resize", (event) => {
    if ((globalThis as World).agenticKeepsSize) event.stopImmediatePropagation();
  });
}

/** Runs in the page: its scripts hear of no other size from now on. For a moment of drawing a full page, its window is one pixel wide. */
export function keepSize(): void {
  (globalThis as World).agenticKeepsSize = true;
}

/** Runs before any script of a page: removes the ways to the network that a proxy does not see, and popups. */
export function removeBypasses(): void {
  for (const name of ["RTCPeerConnection", "webkitRTCPeerConnection", "WebTransport"])
    Reflect.deleteProperty(globalThis, name);
  globalThis.open = () => null;
}
