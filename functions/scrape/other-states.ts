import type { Frame, Request } from "playwright-core";
import { MAX_DOM_CHARS, MAX_TEXT_CHARS, type PageState } from "../../pipelines/market-analysis/capture.ts";
import { readComposed } from "./composed.ts";
import { findSwitches, press } from "./in-page-switches.ts";
import { ask, quiet, type Tab } from "./tab.ts";

const MAX_SWITCHES = 8;
/** The page's own and those that it shows. */
const MAX_FRAMES = 5;
/** For all of them: a page decides how long its switches take. */
const ALL_MS = 6_000;
/** For an answer of the page, and for what a switch leads to. */
const ANSWER_MS = 2_000;
const EACH_MS = 1_000;
/** What differs names a price: its markup tells which offer it is of. */
const PRICED = /\p{Sc}\s?\d|\d\s?\p{Sc}|(?<![\p{L}\d])[A-Z]{3}\s?\d|\d\s?[A-Z]{3}(?![\p{L}\d])/u;
/** Lines before the first that differs: what a price belongs to stands before it. */
const LINES_BEFORE = 8;

/** A page's words: as markup and as text. */
interface Words {
  readonly html: string;
  readonly text: string;
}

/**
 * Presses what switches a page between monthly and yearly prices, its tabs and what unfolds, and adds what differs then, marked with what
 * was pressed: to the text, and to the markup as hidden, where it is looked at for what speaks to a model. It comes last: whatever a page does
 * meanwhile, its capture stands. Nothing leaves the page: while it presses, documents and all that is no GET are refused.
 * `states`: the whole markup of those in which prices differ, for the offers that only they show.
 * @param leftMs until the step's deadline
 */
export async function withOtherStates(
  tab: Tab,
  before: Words,
  leftMs: number,
): Promise<Words & { readonly states: readonly PageState[]; readonly caveats: readonly string[] }> {
  const { page } = tab;
  const ms = Math.min(ALL_MS, leftMs / 4);
  const until = performance.now() + ms;
  const brief: Tab = { ...tab, wait: { ...tab.wait, script: Math.min(ANSWER_MS, ms), late: EACH_MS } };
  const parts: string[] = [];
  const states: PageState[] = [];
  let room = MAX_DOM_CHARS;
  let told = before.text;
  let left = false;
  let at = 0;
  let switches: readonly Switch[] = [];
  try {
    switches = (
      await Promise.all(
        page
          .frames()
          .slice(0, MAX_FRAMES)
          .map((frame) => switchesIn(frame, brief)),
      )
    ).flat();
    switches = switches.slice(0, MAX_SWITCHES);
    if (switches.length > 0)
      await stayHere(tab, () => {
        left = true;
      });
    for (const { label, frame, position } of switches) {
      if (left || performance.now() >= until) break;
      at++;
      await ask(brief, () => frame.evaluate(press, position));
      await quiet(brief);
      const { text } = await ask(brief, () => readComposed(brief, { marks: 0 }));
      const part = left ? "" : differing(told, text);
      if (part === "") continue;
      told = text;
      parts.push(`[After pressing “${label}”]\n${part}`);
      if (!PRICED.test(part)) continue;
      const { html } = await ask(brief, () => readComposed(brief));
      room -= html.length;
      // A document without its end would show parts of it elsewhere.
      if (room >= 0) states.push({ label, html });
    }
  } catch {
    // A page that went away or does not answer: what was read stands.
    left = true;
  }
  const { html, text } = added(before, parts.map((part) => `\n\n${part}`).join(""));
  const unread = left || at < switches.length || room < 0;
  return { html, text, states, caveats: unread ? ["not every tab and switch of the page was read"] : [] };
}

interface Switch {
  readonly label: string;
  readonly frame: Frame;
  /** Among those of its frame. */
  readonly position: number;
}

/** None in a frame that does not answer. */
async function switchesIn(frame: Frame, tab: Tab): Promise<Switch[]> {
  const found = ask(tab, () => frame.evaluate(findSwitches, MAX_SWITCHES));
  const labels = await (frame.parentFrame() ? found.catch(() => []) : found);
  return labels.map((label, position) => ({ label, frame, position }));
}

function added({ html, text }: Words, other: string): Words {
  const room = other.slice(0, Math.max(0, MAX_TEXT_CHARS - text.length));
  if (room.trim() === "") return { html, text };
  const escaped = room.replace(/[&<>]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign);
  const hidden = `<pre hidden data-agentic-states>${escaped}</pre>`;
  return { html: html.slice(0, MAX_DOM_CHARS - hidden.length) + hidden, text: text + room };
}

/** From the first line that differs, and a few before it, to the last. */
function differing(before: string, after: string): string {
  const [old, now] = [before, after].map((text) => text.split("\n")) as [string[], string[]];
  let first = 0;
  while (first < now.length && now[first] === old[first]) first++;
  if (first === now.length) return "";
  let last = 0;
  while (last < now.length - first && last < old.length - first && now.at(-1 - last) === old.at(-1 - last)) last++;
  return now
    .slice(Math.max(0, first - LINES_BEFORE), now.length - last)
    .join("\n")
    .trim();
}

/** Of the context, and not the page: a form may have a window of its own for its target. */
async function stayHere({ page }: Tab, onLeave: () => void): Promise<void> {
  await page.context().route("**/*", (route) => {
    const request = route.request();
    const leaves = request.isNavigationRequest() && !isInFrame(request);
    if (leaves) onLeave();
    // ERR_ABORTED: no failure of the page's.
    return leaves || !/^(?:GET|HEAD|OPTIONS)$/.test(request.method()) ? route.abort("aborted") : route.fallback();
  });
}

/** Playwright knows no frame of a window that is about to open. */
function isInFrame(request: Request): boolean {
  try {
    return request.frame().parentFrame() !== null;
  } catch {
    return false;
  }
}
