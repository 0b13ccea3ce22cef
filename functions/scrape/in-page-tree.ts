/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import type { KeptRow } from "./in-page-rows.ts";

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
  /** Where each of `frames` is drawn. */
  readonly views: readonly View[];
  /** Elements that were looked at for marks. */
  readonly marked: number;
}

/** A rectangle of the whole page, in CSS pixels. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface TreeLimits {
  /** In characters. */
  readonly dom: number;
  readonly text: number;
  readonly ms: number;
  /** The captured page's address: readers resolve relative ones against it. */
  readonly address: string;
  /** Where a frame's document is drawn, which is what it shows: no scripts, no styles, no head. */
  readonly frame?: View;
  /** Elements to look at for marks. */
  readonly marks: number;
}

/** Kept between the functions below, in a world of scripts that the page's own do not reach. */
interface World {
  /** By keepRows. */
  readonly agenticRows?: (list: Element) => readonly KeptRow[];
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
  /** Whether to begin anew: a page is read more than once, and its frames are asked about each time. */
  readonly first: boolean;
}): Element[] {
  const world = globalThis as World;
  if (limits.first || !world.agentic)
    world.agentic = {
      named: [],
      closed: world.agentic?.closed ?? new Map(),
      composed: world.agenticRows !== undefined,
    };
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
 * Marks what only the rendered page tells (docs/adr/0045): boxes, what is hidden or crossed out, and which controls stand out.
 */
export function readTree(limits: TreeLimits): Tree {
  const state = (globalThis as World).agentic ?? { named: [], closed: new Map<Element, ShadowRoot>(), composed: false };
  // What Chromium needs to lay the page out is not ours.
  document.documentElement?.getBoundingClientRect();
  const until = performance.now() + limits.ms;
  const positions = new Map(state.named.map((element, at) => [element, at]));
  const html = [""];
  const text = [""];
  const frames: number[] = [];
  const views: View[] = [];
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

  let marked = 0;
  let controlsLeft = limits.marks / 10;
  const unmarked = /^(?:html|head|body|script|style|link|meta|title|base|noscript|template|option|br|source|track)$/;
  const pictures = /^(?:img|canvas|video|object|embed)$/;
  const controls = "a[href], button, [role='button'], [role='link'], input[type='submit'], input[type='button']";
  const hasWords = (element: Element) => {
    let left = 20;
    for (let child = element.firstChild; child && left-- > 0; child = child.nextSibling)
      if (child instanceof Text && /\S/.test(child.data)) return true;
    return false;
  };
  /** As pixels are: style sheets write colours in many ways. */
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const pixels = new Map<string, readonly number[]>();
  const pixelOf = (colour: string) => {
    let pixel = pixels.get(colour);
    if (!pixel) {
      canvas?.clearRect(0, 0, 1, 1);
      if (canvas) canvas.fillStyle = colour;
      canvas?.fillRect(0, 0, 1, 1);
      pixel = [...(canvas?.getImageData(0, 0, 1, 1).data ?? [0, 0, 0, 0])];
      pixels.set(colour, pixel);
    }
    return pixel;
  };
  const isOpaque = (colour: string) => (pixelOf(colour)[3] ?? 0) > 24;
  /** 0 to 1. */
  const contrast = (one: string, other: string) =>
    Math.max(...[0, 1, 2].map((at) => Math.abs((pixelOf(one)[at] ?? 0) - (pixelOf(other)[at] ?? 0)))) / 255;
  /** Neither a colour nor black or white: how what matters less is filled. */
  const isGrey = (colour: string) => {
    const shades = pixelOf(colour).slice(0, 3);
    const [darkest, lightest] = [Math.min(...shades), Math.max(...shades)];
    return lightest - darkest < 30 && lightest > 80 && darkest < 235;
  };
  const parentOf = (element: Element) => {
    const parent = element.assignedSlot ?? element.parentNode;
    return parent instanceof ShadowRoot ? parent.host : parent instanceof Element ? parent : undefined;
  };
  const colourAround = (element: Element) => {
    for (let up = parentOf(element), climbs = 0; up && climbs < 30; up = parentOf(up), climbs++) {
      const { backgroundColor, backgroundImage } = getComputedStyle(up);
      // Nobody knows what a picture shows there.
      if (backgroundImage !== "none") return undefined;
      if (isOpaque(backgroundColor)) return backgroundColor;
    }
    return "white";
  };
  /** How a control stands out: by its own box, or that of the one element in it. */
  const standsOut = (control: Element, style: CSSStyleDeclaration): string | undefined => {
    const around = colourAround(control);
    const only = control.childElementCount === 1 && !hasWords(control) ? control.firstElementChild : null;
    for (const one of only ? [style, getComputedStyle(only)] : [style]) {
      const { backgroundColor, backgroundImage, borderTopWidth, borderLeftWidth, borderTopColor, boxShadow } = one;
      const [shade] = /rgba?\([^)]*\)/.exec(backgroundImage) ?? [];
      if (backgroundImage !== "none" && !shade) return "filled";
      const colour = shade ?? backgroundColor;
      const filled = isOpaque(colour) ? (around ? contrast(colour, around) : 1) : 0;
      if (filled > 0.25 && !isGrey(colour)) return "filled";
      const bordered =
        Number.parseFloat(borderTopWidth) >= 0.5 &&
        Number.parseFloat(borderLeftWidth) >= 0.5 &&
        isOpaque(borderTopColor) &&
        (!around || contrast(borderTopColor, around) > 0.05);
      // Style sheets draw borders as shadows, too, and name shadows that show nothing.
      const ringed = /\S/.test(boxShadow.replace(/none|rgba\(0, 0, 0, 0\) 0px 0px 0px 0px|,/g, ""));
      if (bordered || ringed) return "outlined";
      if (filled > 0.03) return "tinted";
    }
    return undefined;
  };
  /** Whether style sheets hide it from who looks at the page, though not what shows when something is done. */
  const isHidden = (element: Element, { x, y, width, height }: View, words: boolean) => {
    const seen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
    const away = !limits.frame && width > 0 && height > 0 && (x + width <= 0 || y + height <= 0 || x >= innerWidth);
    if (seen && width > 1 && height > 1 && !away) return false;
    const { display, visibility, opacity, pointerEvents, position, overflowX, overflowY, clip } =
      getComputedStyle(element);
    if (display === "none") return true;
    if (visibility !== "visible" && (words || !element.firstElementChild)) return true;
    // What has a place of its own there fades in when its turn comes.
    if (opacity === "0" && (pointerEvents === "none" || /^(?:absolute|fixed)$/.test(position))) return true;
    if (away) return x < innerWidth || position === "fixed";
    return (
      (width <= 1 || height <= 1) &&
      display !== "contents" &&
      (overflowX !== "visible" || overflowY !== "visible" || clip !== "auto")
    );
  };
  const marksOf = (element: Element, around: Around) => {
    if (!around.drawn || marked >= limits.marks || unmarked.test(element.localName)) return { hidden: false, said: "" };
    marked++;
    const { left, top, width, height } = element.getBoundingClientRect();
    const at = limits.frame
      ? { x: limits.frame.x + left, y: limits.frame.y + top, width, height }
      : { x: left + scrollX, y: top + scrollY, width, height };
    const words = hasWords(element);
    if (isHidden(element, at, words)) return { hidden: true, said: ' data-agentic-style="hidden"' };
    const styles = isStruck(element) ? ["struck"] : [];
    let size = "";
    let boxed = words || pictures.test(element.localName);
    // A page of thousands is a list: the first of them are enough.
    const looked =
      controlsLeft > 0 &&
      (element.matches(controls) || (words && !around.pointed && getComputedStyle(element).cursor === "pointer"));
    if (looked) {
      controlsLeft--;
      const style = getComputedStyle(element);
      boxed = true;
      size = ` ${Math.round(Number.parseFloat(style.fontSize))}`;
      const how = standsOut(element, style);
      styles.push(...(how ? [how] : []), ...(style.cursor === "pointer" ? ["pointer"] : []));
    }
    const box = boxed ? shownPart(at) : undefined;
    return {
      hidden: false,
      said: `${styles.length > 0 ? ` data-agentic-style="${styles.join(" ")}"` : ""}${box ? ` data-agentic-box="${box}${size}"` : ""}`,
    };
  };
  /** Where a frame draws its document. */
  const contentOf = (frame: Element): View => {
    const { left, top } = frame.getBoundingClientRect();
    const { paddingLeft, paddingTop } = getComputedStyle(frame);
    const [x, y] = [
      left + frame.clientLeft + Number.parseFloat(paddingLeft),
      top + frame.clientTop + Number.parseFloat(paddingTop),
    ];
    const origin = limits.frame ?? { x: scrollX, y: scrollY };
    return { x: origin.x + x, y: origin.y + y, width: frame.clientWidth, height: frame.clientHeight };
  };
  /** In rounded pixels; undefined where nothing of it is drawn. */
  const shownPart = ({ x, y, width, height }: View) => {
    const view = limits.frame ?? { x: 0, y: 0, width: innerWidth, height: Number.POSITIVE_INFINITY };
    const [left, top] = [Math.max(x, view.x), Math.max(y, view.y)];
    const [right, bottom] = [Math.min(x + width, view.x + view.width), Math.min(y + height, view.y + view.height)];
    if (right - left < 1 || bottom - top < 1) return undefined;
    return [left, top, right - left, bottom - top].map(Math.round).join(" ");
  };
  const startTag = (element: Element, marks: string) => {
    const attributes = Array.from(element.attributes, ({ name, value }) => {
      // Those are ours to give.
      if (name.startsWith("data-agentic-")) return "";
      const kept = addresses.test(name) ? absolute(element, value) : value;
      return ` ${name}="${escaped(kept, /[&"<>\u00a0]/g)}"`;
    });
    return `<${element.localName}${attributes.join("")}${marks}>`;
  };

  /** Of the element around: whether its text shows, how it is written, and whether its own spaces count. */
  interface Around {
    readonly shown: boolean;
    readonly visible: boolean;
    readonly pre: boolean;
    readonly cased: string;
    readonly raw: boolean;
    /** Whether anything shows it, and whether it is part of what can be clicked: for its marks. */
    readonly drawn: boolean;
    readonly pointed: boolean;
  }
  type Step = { readonly node: Node; readonly around: Around } | (() => void);
  const start: Around = {
    shown: true,
    visible: true,
    pre: false,
    cased: "none",
    raw: false,
    drawn: true,
    pointed: false,
  };
  const top = limits.frame ? document.body : document.documentElement;
  // No recursion: scripts nest elements deeper than the stack goes.
  const steps: Step[] = top ? [{ node: top, around: start }] : [];
  const follow = (nodes: ArrayLike<Node>, around: Around) => {
    for (let at = nodes.length - 1; at >= 0; at--) steps.push({ node: nodes[at] as Node, around });
  };
  let cut = false;
  let count = 0;
  if (!limits.frame) write("<!DOCTYPE html>");
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
    if (unseen.test(name) && (limits.frame || node.getRootNode() instanceof ShadowRoot)) continue;
    if (node instanceof HTMLSlotElement && node.getRootNode() instanceof ShadowRoot) {
      const assigned = node.assignedNodes();
      follow(assigned.length > 0 ? assigned : node.childNodes, around);
      continue;
    }
    const { hidden, said } = marksOf(node, around);
    write(startTag(node, said));
    if (empty.test(name)) {
      if (name === "br" && state.composed && around.shown) say("\n", true);
      continue;
    }
    const pointed = around.pointed || /\bpointer\b/.test(said) || name === "a" || name === "button";
    let inside: Around = { ...around, raw: raw.test(name), drawn: around.drawn && !hidden, pointed };
    let after = 0;
    if (state.composed && around.shown) {
      const { display, visibility, whiteSpace, textTransform } = getComputedStyle(node);
      inside = {
        ...inside,
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
      views.push(contentOf(node));
      html.push("");
      text.push("");
      spaced = true;
      continue;
    }
    const rows = (globalThis as World).agenticRows?.(node) ?? [];
    if (rows.length > 0)
      steps.push(() => {
        for (const { html: markup, text: words } of rows) {
          write(markup.slice(0, limits.dom));
          beginLine(1);
          say(words, true);
          beginLine(1);
        }
      });
    follow((node.shadowRoot ?? state.closed.get(node) ?? node).childNodes, inside);
  }
  if (state.composed) return { html, text, frames, cut, textLength, views, marked };
  const own = document.body as HTMLElement | null;
  // biome-ignore lint/performance/useDomNodeTextContent: what a reader sees, without scripts and hidden parts
  const words = own?.innerText ?? "";
  return { html, text: [words.slice(0, limits.text)], frames, cut, textLength: words.length, views, marked };
}
