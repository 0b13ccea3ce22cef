import type { CDPSession, Page } from "playwright-core";
import { MAX_DOM_CHARS, MAX_TEXT_CHARS } from "../../pipelines/market-analysis/capture.ts";
import { addClosedRoot, findUnknown, readTree, type Tree, type TreeLimits, type View } from "./in-page-tree.ts";
import type { Tab } from "./tab.ts";
import { answerWithin } from "./waits.ts";

/** What a page shows, in one document: shadow roots and frames in their places. */
export interface Composed {
  readonly html: string;
  readonly text: string;
  readonly textLength: number;
  /** Whether the page's own document was larger than what is kept. */
  readonly cut: boolean;
  /** Of the frames that it shows, what was left out. */
  readonly caveats: readonly string[];
}

/** Frames of a page, and frames within frames. */
const MAX_FRAMES = 20;
const MAX_FRAME_DEPTH = 4;
/** For one frame, and for all: a frame may keep its own thread busy, and is no reason to wait for the page. */
const FRAME_MS = 1_500;
const FRAMES_MS = 4_000;
/** For writing down one document. */
const READ_MS = 3_000;
/** Questions to the browser about one document, each a round trip, and what is looked at to find them. */
const MAX_NAMED = 100;
const MAX_EMPTY = 20;
const MAX_ELEMENTS = 50_000;
/** Elements that are looked at for marks: as many as analyze reads of a page. */
const MAX_MARKS = 10_000;
/** Closed roots within closed roots. */
const MAX_ROUNDS = 4;
/** Addresses of what a site shows, and not the browser. */
const SHOWN = /^(?:https?:|about:srcdoc|about:blank|blob:|data:)/;
/** Chromium writes down no tree deeper than its protocol's limit. Its main frame has the id of the page's target. */
const TOO_DEEP = /CBOR: stack limit exceeded/;
/** Marks what a frame shows. */
const FRAME_MARK = "data-agentic-frame";

interface FrameAt {
  readonly session: CDPSession;
  readonly id: string;
}

/**
 * Reads the page as it is shown. Chromium's own snapshots have no limit: 130,000 elements are 46 MB of DOM.getDocument. This asks in the
 * page, where the limits hold, and asks the browser only for what a page's scripts cannot say: closed shadow roots, and which frame is where.
 */
export async function readComposed(tab: Tab, { marks = MAX_MARKS } = {}): Promise<Composed> {
  try {
    return await compose(tab, marks);
  } catch (error) {
    // As Playwright says it, for those who ask again.
    const gone = error instanceof Error && /Cannot find context|No frame (?:for|with) given id/.test(error.message);
    throw gone ? new Error("the page navigated while it was read", { cause: error }) : error;
  }
}

async function compose(tab: Tab, marks: number): Promise<Composed> {
  const { page, session } = tab;
  const address = page.url();
  const { frames, nested } = await framesOf(session);
  const [main] = frames.keys();
  if (main === undefined) throw new Error("the page navigated while it was read");
  const left = { dom: MAX_DOM_CHARS, text: MAX_TEXT_CHARS, marks };
  const until = performance.now() + FRAMES_MS;
  const caveats = new Map<string, number>();
  const leaveOut = (why: string) => caveats.set(why, (caveats.get(why) ?? 0) + 1);
  const elsewhere = new Map<string, { session: CDPSession; url: string }>();
  if (nested) leaveOut("nested without end");
  let read = 0;

  const write = async (
    at: FrameAt,
    depth: number,
    frame?: View,
  ): Promise<{ html: string; text: string; tree: Tree }> => {
    const limits = { ...left, ms: READ_MS, address, ...(frame ? { frame } : {}) };
    const { tree, ids } = await readFrame(at, limits);
    left.dom -= sum(tree.html);
    left.text -= sum(tree.text);
    left.marks -= tree.marked;
    let html = tree.html[0] ?? "";
    const lines = [tree.text[0] ?? ""];
    for (const [index, position] of tree.frames.entries()) {
      const inner = await writeFrame(ids.get(position), depth + 1, tree.views[index]);
      html += inner.html + (tree.html[index + 1] ?? "");
      lines.push(inner.text, tree.text[index + 1] ?? "");
    }
    return {
      html,
      text: lines
        .map((part) => part.trim())
        .filter(Boolean)
        .join("\n"),
      tree,
    };
  };

  const writeFrame = async (
    id: string | undefined,
    depth: number,
    view: View | undefined,
  ): Promise<{ html: string; text: string }> => {
    const nothing = { html: "", text: "" };
    if (id === undefined) return nothing;
    if (nested) return nothing;
    if (!frames.has(id) && !elsewhere.has(id))
      for (const [key, other] of await framesElsewhere(page)) elsewhere.set(key, other);
    const url = frames.get(id) ?? elsewhere.get(id)?.url;
    if (url === undefined) {
      leaveOut("no answer");
      return nothing;
    }
    // Of a frame that could not be loaded the browser shows a page of its own; of one that was refused, the proxy's answer.
    if (!SHOWN.test(url) || tab.traffic.wasRefused(url)) return nothing;
    if (depth > MAX_FRAME_DEPTH || read >= MAX_FRAMES) {
      leaveOut(depth > MAX_FRAME_DEPTH ? `deeper than ${MAX_FRAME_DEPTH} in others` : `more than ${MAX_FRAMES}`);
      return nothing;
    }
    if (left.dom <= 0 || performance.now() > until) {
      leaveOut(left.dom <= 0 ? "no room left" : "no time left");
      return nothing;
    }
    read++;
    const at = { session: elsewhere.get(id)?.session ?? session, id };
    try {
      const ms = Math.min(FRAME_MS, tab.wait.script / 4);
      const { html, text, tree } = await answerWithin(ms, "frame", write(at, depth, view));
      if (tree.cut) leaveOut("cut");
      return { html: `<div ${FRAME_MARK}="${escapeAttribute(url)}">${html}</div>`, text };
    } catch (error) {
      // It went, or it does not answer.
      if (page.isClosed()) throw error;
      leaveOut("no answer");
      return nothing;
    }
  };

  try {
    const { html, text, tree } = await write({ session, id: main }, 0);
    return {
      html: html.slice(0, MAX_DOM_CHARS),
      text: text.replace(/[ \t]+\n/g, "\n").slice(0, MAX_TEXT_CHARS),
      textLength: tree.textLength,
      cut: tree.cut,
      caveats: [...caveats].map(
        ([why, count]) => `${count} ${count === 1 ? "frame" : "frames"} left out or cut: ${why}`,
      ),
    };
  } finally {
    await Promise.all([...elsewhere.values()].map((one) => one.session.detach().catch(() => undefined)));
  }
}

/** Of the session's own process: id and address of each frame, the outermost first. */
async function framesOf(session: CDPSession): Promise<{ frames: Map<string, string>; nested: boolean }> {
  const answer = await session.send("Page.getFrameTree").catch((error: unknown) => {
    if (error instanceof Error && TOO_DEEP.test(error.message)) return undefined;
    throw error;
  });
  if (!answer) {
    const { targetInfo } = await session.send("Target.getTargetInfo");
    return { frames: new Map([[targetInfo.targetId, targetInfo.url]]), nested: true };
  }
  const { frameTree } = answer;
  const found = new Map<string, string>();
  const trees = [frameTree];
  for (let tree = trees.shift(); tree; tree = trees.shift()) {
    found.set(tree.frame.id, tree.frame.unreachableUrl ? "" : tree.frame.url);
    trees.push(...(tree.childFrames ?? []));
  }
  return { frames: found, nested: false };
}

/** Frames of other sites, which Chromium keeps in processes of their own, each with the frames of its own process. */
async function framesElsewhere(page: Page): Promise<Map<string, { session: CDPSession; url: string }>> {
  const found = new Map<string, { session: CDPSession; url: string }>();
  for (const frame of page.frames().slice(1, 3 * MAX_FRAMES)) {
    // Playwright refuses this for frames of the page's own process.
    const session = await page
      .context()
      .newCDPSession(frame)
      .catch(() => undefined);
    if (!session) continue;
    const frames = await answerWithin(FRAME_MS, "frame", framesOf(session)).then(
      (answer) => answer.frames,
      () => new Map<string, string>(),
    );
    for (const [id, url] of frames) found.set(id, { session, url });
  }
  return found;
}

/** One document, and which frames it shows: their ids by position. */
async function readFrame(
  { session, id }: FrameAt,
  limits: TreeLimits,
): Promise<{ tree: Tree; ids: Map<number, string> }> {
  const world = await session.send("Page.createIsolatedWorld", { frameId: id, worldName: "agentic" });
  const contextId = world.executionContextId;
  const ids = new Map<number, string>();
  let named = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const elements = await unknownElements(session, contextId, Math.max(0, MAX_NAMED - named), round === 0);
    const roots = (await Promise.all(elements.map((objectId) => describe(session, objectId)))).flatMap((node, at) => {
      if (node?.frameId !== undefined) ids.set(named + at, node.frameId);
      return node?.shadowRoots?.find((root) => root.shadowRootType === "closed")?.backendNodeId ?? [];
    });
    named += elements.length;
    if (roots.length === 0) break;
    for (const backendNodeId of roots) {
      const { object } = await session.send("DOM.resolveNode", { backendNodeId, executionContextId: contextId });
      await call(session, contextId, addClosedRoot, [{ objectId: object.objectId ?? "" }]);
    }
  }
  const { value } = await call(session, contextId, readTree, [{ value: limits }], true);
  return { tree: value as Tree, ids };
}

async function unknownElements(
  session: CDPSession,
  contextId: number,
  named: number,
  first: boolean,
): Promise<string[]> {
  const limits = { named, empty: MAX_EMPTY, elements: MAX_ELEMENTS, first };
  const { objectId, description } = await call(session, contextId, findUnknown, [{ value: limits }]);
  // Of most pages, which need no further round trip.
  if (objectId === undefined || description === "Array(0)") return [];
  const { result } = await session.send("Runtime.getProperties", { objectId, ownProperties: true });
  return result.flatMap(({ name, value }) => (/^\d+$/.test(name) ? (value?.objectId ?? []) : []));
}

/** Undefined for an element that went meanwhile. */
async function describe(session: CDPSession, objectId: string) {
  return session.send("DOM.describeNode", { objectId }).then(
    ({ node }) => node,
    () => undefined,
  );
}

type Argument = { readonly value: unknown } | { readonly objectId: string };

async function call(
  session: CDPSession,
  executionContextId: number,
  // biome-ignore lint/complexity/noBannedTypes: its source is what counts
  what: Function,
  args: Argument[],
  returnByValue = false,
) {
  const { result, exceptionDetails } = await session.send("Runtime.callFunctionOn", {
    functionDeclaration: what.toString(),
    executionContextId,
    arguments: args,
    returnByValue,
  });
  if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  return result;
}

function sum(parts: readonly string[]): number {
  return parts.reduce((total, { length }) => total + length, 0);
}

function escapeAttribute(value: string): string {
  return value.replace(/&/g, "&amp;").replace(/"/g, "&quot;");
}
