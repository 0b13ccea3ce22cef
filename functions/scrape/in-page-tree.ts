/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** What is read of one document; a frame that it shows goes between two parts. */
export interface Tree {
  /** One more than there are frames. */
  readonly html: readonly string[];
  readonly text: readonly string[];
  /** Which of the elements that findUnknown named. */
  readonly frames: readonly number[];
  /** Whether there is more than the limits allow. */
  readonly cut: boolean;
  /** Characters of text before the cut. */
  readonly textLength: number;
}

export interface TreeLimits {
  /** In characters. */
  readonly dom: number;
  readonly text: number;
  readonly ms: number;
  /** The captured page's address: readers resolve relative ones against it. */
  readonly address: string;
  /** A frame's document is what it shows: no scripts, no styles, no head. */
  readonly isFrame: boolean;
}

/** Kept between the functions below, in a world of scripts that the page's own do not reach. */
interface World {
  agentic?: {
    /** Elements that findUnknown has named, in order. */
    readonly named: Element[];
    readonly closed: Map<Element, ShadowRoot>;
    /** Whether the document shows more than its light DOM. */
    composed: boolean;
  };
}

/**
 * Runs in the page: the elements of which only the browser knows whether they have a closed shadow root, or which frame they show.
 * Custom elements may have one, and elements whose children are not shown; so may those that are empty but have a size, the largest first.
 * @returns those that it did not name before
 */
export function findUnknown(limits: {
  readonly named: number;
  readonly empty: number;
  readonly elements: number;
}): Element[] {
  const world = globalThis as World;
  world.agentic ??= { named: [], closed: new Map(), composed: false };
  const state = world.agentic;
  const known = new Set(state.named);
  const builtIn = /^(?:article|aside|blockquote|body|div|footer|h[1-6]|header|main|nav|p|section|span)$/;
  const areaOf = (element: Element) => {
    const { width, height } = element.getBoundingClientRect();
    return width * height;
  };
  const showsNoChild = (element: Element) => {
    const child = element.firstElementChild;
    // What is nowhere in what is shown has no style at all.
    if (child) return getComputedStyle(child).display === "" || (child.hasAttribute("slot") && !child.assignedSlot);
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getClientRects().length === 0 && areaOf(element) > 0;
  };
  const frames: Element[] = [];
  const certain: Element[] = [];
  const empty = new Map<Element, number>();
  const roots: ParentNode[] = [document];
  let left = limits.elements;
  for (let root = roots.pop(); root; root = roots.pop())
    for (const element of root.querySelectorAll("*")) {
      if (left-- <= 0) break;
      const name = element.localName;
      const shadow = element.shadowRoot ?? state.closed.get(element);
      if (shadow) {
        state.composed = true;
        roots.push(shadow);
      } else if (known.has(element)) continue;
      else if (name === "iframe" || name === "frame") {
        // Smaller ones count visitors.
        if (areaOf(element) > 400) frames.push(element);
      } else if (name.includes("-")) certain.push(element);
      else if (!builtIn.test(name)) continue;
      else if (element.firstElementChild || (element.textContent ?? "").trim() !== "") {
        if (showsNoChild(element)) certain.push(element);
      } else {
        const area = areaOf(element);
        // Too small for a price.
        if (area > 400) empty.set(element, area);
      }
    }
  if (frames.length > 0) state.composed = true;
  const largest = [...empty.keys()].sort((a, b) => (empty.get(b) ?? 0) - (empty.get(a) ?? 0));
  const found = [...frames, ...certain].slice(0, limits.named).concat(largest.slice(0, limits.empty));
  state.named.push(...found);
  return found;
}

/** Runs in the page: makes a closed root known to findUnknown and readTree. */
export function addClosedRoot(root: ShadowRoot): void {
  (globalThis as World).agentic?.closed.set(root.host, root);
}

/**
 * Runs in the page: writes down the document as it is shown: a shadow root in place of its host's children, these in place of its
 * slots, templates left out. Where there is neither root nor frame the text is the browser's own, and otherwise alike.
 */
export function readTree(limits: TreeLimits): Tree {
  const state = (globalThis as World).agentic ?? { named: [], closed: new Map<Element, ShadowRoot>(), composed: false };
  const until = performance.now() + limits.ms;
  const positions = new Map(state.named.map((element, at) => [element, at]));
  const html = [""];
  const text = [""];
  const frames: number[] = [];
  let htmlLength = 0;
  let textLength = 0;
  /** Lines to begin before the next word; a space only within one. */
  let lines = 0;
  let spaced = true;

  const write = (piece: string) => {
    html[html.length - 1] += piece;
    htmlLength += piece.length;
  };
  const say = (words: string, keepsSpace: boolean) => {
    let piece = keepsSpace ? words : words.replace(/[ \t\n\r\f]+/g, " ");
    if (!keepsSpace && (spaced || lines > 0)) piece = piece.replace(/^ /, "");
    if (piece === "") return;
    if (lines > 0 && textLength > 0) piece = "\n".repeat(lines) + piece;
    lines = 0;
    spaced = /\s$/.test(piece);
    if (textLength < limits.text) text[text.length - 1] += piece.slice(0, limits.text - textLength);
    textLength += piece.length;
  };
  const beginLine = (count: number) => {
    lines = Math.max(lines, count);
  };
  const escaped = (words: string, also: RegExp) =>
    words
      .slice(0, limits.dom)
      .replace(also, (sign) => `&${{ "&": "amp", "<": "lt", ">": "gt", '"': "quot", "\u00a0": "nbsp" }[sign]};`);
  const empty = /^(?:area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr)$/;
  const raw = /^(?:script|style|xmp|iframe|noembed|noframes|plaintext|noscript)$/;
  const unseen = /^(?:script|style|link|meta|title|base|head)$/;
  const addresses = /^(?:href|src|action|formaction|poster)$/;
  const absolute = (element: Element, value: string) =>
    // An empty one, or a place in the page, is as good here as there.
    element.baseURI !== limits.address && !/^(?:#|$)/.test(value) && URL.canParse(value, element.baseURI)
      ? new URL(value, element.baseURI).href
      : value;
  /** An old price is crossed out by a style sheet more often than by its tag. Styles take time: only of what may be one. */
  const isStruck = (element: Element) =>
    /\d/.test(fewWords(element)) && getComputedStyle(element).textDecorationLine.includes("line-through");
  /** The text of an element that holds next to nothing; of others none, whatever they hold. */
  const fewWords = (element: Element) => {
    let words = "";
    const nodes: Node[] = [element];
    for (const node of nodes) {
      if (node instanceof Text) words += node.length > 60 ? "" : node.data;
      else if (node.childNodes.length > 8 || nodes.length > 16) return "";
      else nodes.push(...node.childNodes);
    }
    return words.length > 60 ? "" : words;
  };
  const startTag = (element: Element) => {
    const attributes = Array.from(element.attributes, ({ name, value }) => {
      // That one is ours to give.
      if (name === "data-agentic-style") return "";
      const kept = addresses.test(name) ? absolute(element, value) : value;
      return ` ${name}="${escaped(kept, /[&"<>\u00a0]/g)}"`;
    });
    const mark = isStruck(element) ? ' data-agentic-style="struck"' : "";
    return `<${element.localName}${attributes.join("")}${mark}>`;
  };

  /** Of the element around: whether its text shows, how it is written, and whether its own spaces count. */
  interface Around {
    readonly shown: boolean;
    readonly visible: boolean;
    readonly pre: boolean;
    readonly cased: string;
    readonly raw: boolean;
  }
  type Step = { readonly node: Node; readonly around: Around } | (() => void);
  const start: Around = { shown: true, visible: true, pre: false, cased: "none", raw: false };
  const top = limits.isFrame ? document.body : document.documentElement;
  // No recursion: scripts nest elements deeper than the stack goes.
  const steps: Step[] = top ? [{ node: top, around: start }] : [];
  const follow = (nodes: ArrayLike<Node>, around: Around) => {
    for (let at = nodes.length - 1; at >= 0; at--) steps.push({ node: nodes[at] as Node, around });
  };
  let cut = false;
  let count = 0;
  if (!limits.isFrame) write("<!DOCTYPE html>");
  for (let step = steps.pop(); step; step = steps.pop()) {
    if (htmlLength >= limits.dom || (++count % 500 === 0 && performance.now() > until)) {
      cut = true;
      break;
    }
    if (typeof step === "function") {
      step();
      continue;
    }
    const { node, around } = step;
    if (node instanceof Text) {
      write(around.raw ? node.data.slice(0, limits.dom) : escaped(node.data, /[&<>\u00a0]/g));
      if (!state.composed || !around.shown || !around.visible) continue;
      const words =
        around.cased === "uppercase"
          ? node.data.toUpperCase()
          : around.cased === "lowercase"
            ? node.data.toLowerCase()
            : node.data;
      say(words, around.pre);
      continue;
    }
    // What a page says in a comment, to a model perhaps, is looked at, too.
    if (node instanceof Comment) write(`<!--${node.data.slice(0, limits.dom)}-->`);
    if (!(node instanceof Element)) continue;
    const name = node.localName;
    if (name === "template") continue;
    if (unseen.test(name) && (limits.isFrame || node.getRootNode() instanceof ShadowRoot)) continue;
    if (node instanceof HTMLSlotElement && node.getRootNode() instanceof ShadowRoot) {
      const assigned = node.assignedNodes();
      follow(assigned.length > 0 ? assigned : node.childNodes, around);
      continue;
    }
    write(startTag(node));
    if (empty.test(name)) {
      if (name === "br" && state.composed && around.shown) say("\n", true);
      continue;
    }
    let inside: Around = { ...around, raw: raw.test(name) };
    let after = 0;
    if (state.composed && around.shown) {
      const { display, visibility, whiteSpace, textTransform } = getComputedStyle(node);
      inside = {
        raw: inside.raw,
        shown: display !== "none" && !/^(?:script|style|noscript|head|textarea|select|svg|canvas)$/.test(name),
        visible: visibility === "visible",
        pre: whiteSpace.startsWith("pre"),
        cased: textTransform,
      };
      if (inside.shown && !/^(?:inline|contents|table-cell)/.test(display)) after = name === "p" ? 2 : 1;
      if (inside.shown && display === "table-cell" && !spaced) say("\t", true);
      beginLine(after);
    }
    steps.push(() => {
      write(`</${name}>`);
      beginLine(after);
    });
    const position = positions.get(node);
    if ((name === "iframe" || name === "frame") && position !== undefined) {
      if (!inside.shown || !inside.visible) continue;
      // Behind the element: a parser takes what is in it for text.
      const close = steps.pop() as () => void;
      close();
      frames.push(position);
      html.push("");
      text.push("");
      spaced = true;
      continue;
    }
    follow((node.shadowRoot ?? state.closed.get(node) ?? node).childNodes, inside);
  }
  if (state.composed) return { html, text, frames, cut, textLength };
  const own = document.body as HTMLElement | null;
  // biome-ignore lint/performance/useDomNodeTextContent: what a reader sees, without scripts and hidden parts
  const words = own?.innerText ?? "";
  return { html, text: [words.slice(0, limits.text)], frames, cut, textLength: words.length };
}
