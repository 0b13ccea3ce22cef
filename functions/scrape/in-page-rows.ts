/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/** A row that a list showed while it was scrolled, as it was then. */
export interface KeptRow {
  readonly html: string;
  readonly text: string;
}

export interface RowLimits {
  /** Lists that scroll by themselves. */
  readonly lists: number;
  readonly rows: number;
  /** Characters of all rows. */
  readonly html: number;
  readonly ms: number;
  /** CSS pixels of the page to scroll through. */
  readonly height: number;
  /** Whether the page took away what it had shown, when it was scrolled before. */
  readonly page: boolean;
}

/** In a world of scripts that the page's own do not reach. */
interface World {
  /** Rows of a list that it does not hold now, in their order; for readTree. */
  agenticRows?: (list: Element) => readonly KeptRow[];
}

/**
 * Runs in the page: scrolls lists that hold only those rows that they show, and keeps what they showed. A list is what took something away
 * while it was scrolled: the innermost element around that with several children alike which is about as high as what is scrolled.
 * @returns how many rows it kept, and whether there were more
 */
export async function keepRows(limits: RowLimits): Promise<{ rows: number; cut: boolean }> {
  const until = performance.now() + limits.ms;
  const root = document.scrollingElement ?? document.documentElement;
  const scrolls = (element: Element) =>
    element.clientHeight >= 150 &&
    element.scrollHeight >= 2 * element.clientHeight &&
    /^(?:auto|scroll)$/.test(getComputedStyle(element).overflowY);
  const inner: Element[] = [];
  let looked = 0;
  for (const element of document.body?.querySelectorAll("*") ?? []) {
    if (inner.length === limits.lists || ++looked > 10_000) break;
    if (element !== root && scrolls(element)) inner.push(element);
  }
  const frames = async () => {
    for (let count = 0; count < 2; count++)
      await new Promise<void>((done) => {
        requestAnimationFrame(() => done());
        setTimeout(done, 50);
      });
  };
  const topOf = (scroller: Element) => (scroller === root ? 0 : scroller.getBoundingClientRect().top);
  /** Where an edge is in what is scrolled, wherever that stands. */
  const placeOf = (edge: number, scroller: Element) => edge - topOf(scroller) + scroller.scrollTop;
  const heightOf = (scroller: Element) => (scroller === root ? innerHeight : scroller.clientHeight);
  const hasWords = (node: Node) => /\S/.test(node.textContent ?? "");
  const placesOf = (list: Element, scroller: Element) =>
    [...list.children].filter(hasWords).map((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return { top: placeOf(top, scroller), bottom: placeOf(bottom, scroller) };
    });
  /** Whether a list has drawn the rows of what it shows now. */
  const isDrawn = (list: Element, scroller: Element) => {
    const around = list.getBoundingClientRect();
    const top = Math.max(placeOf(around.top, scroller), scroller.scrollTop);
    const bottom = Math.min(placeOf(around.bottom, scroller), scroller.scrollTop + heightOf(scroller));
    const rows = placesOf(list, scroller);
    return (
      bottom - top < 50 || [top + 10, bottom - 10].every((y) => rows.some((row) => row.top <= y && row.bottom >= y))
    );
  };
  const listAround = (node: Node, scroller: Element) => {
    const inside = node instanceof Element ? node : node.parentElement;
    for (let up = inside; up; up = up === scroller ? null : up.parentElement) {
      const [first, ...others] = [...up.children].slice(0, 50).map(({ localName }) => localName);
      if (others.filter((name) => name === first || name === others[0]).length < 2) continue;
      if (up.getBoundingClientRect().height >= 0.8 * heightOf(scroller)) return up;
    }
    return undefined;
  };
  interface List {
    readonly scroller: Element;
    readonly rows: Map<string, KeptRow & { readonly top: number }>;
  }
  const lists = new Map<Element, List>();
  const isList = (scroller: Element) => [...lists.values()].some((list) => list.scroller === scroller);
  let kept = 0;
  let htmlLength = 0;
  let cut = false;
  /** As readTree writes: no marks but ours, no scripts. */
  const htmlOf = (row: Element) => {
    const clone = row.cloneNode(true) as Element;
    for (const one of clone.querySelectorAll("script, style, template, iframe, noscript")) one.remove();
    for (const one of [clone, ...clone.querySelectorAll("*")])
      for (const name of one.getAttributeNames()) if (name.startsWith("data-agentic-")) one.removeAttribute(name);
    return clone.outerHTML;
  };
  const keep = (element: Element, { scroller, rows }: List) => {
    for (const row of element.children) {
      if (kept >= limits.rows || htmlLength >= limits.html) {
        cut = true;
        return;
      }
      // biome-ignore lint/performance/useDomNodeTextContent: as the page shows it
      const text = ((row as HTMLElement).innerText ?? "").trim();
      if (text === "" || rows.has(text)) continue;
      const html = htmlOf(row);
      kept++;
      htmlLength += html.length;
      rows.set(text, { html, text, top: placeOf(row.getBoundingClientRect().top, scroller) });
    }
  };

  for (const scroller of [...(limits.page ? [root] : []), ...inner]) {
    const before = scroller.scrollTop;
    const taken = new Set<Node>();
    const observer = new MutationObserver((changes) => {
      for (const { type, target, removedNodes } of changes)
        if (type === "characterData" || [...removedNodes].some(hasWords)) taken.add(target);
    });
    observer.observe(scroller, { childList: true, characterData: true, subtree: true });
    const end = () => Math.min(scroller.scrollHeight, scroller === root ? limits.height : Number.POSITIVE_INFINITY);
    const step = Math.max(100, 0.9 * heightOf(scroller));
    for (let y = step; y < end() && !cut; y += step) {
      if (performance.now() > until) {
        cut = isList(scroller);
        break;
      }
      scroller.scrollTo({ top: y, behavior: "instant" });
      await frames();
      // On a busy machine a list draws its rows later.
      const own = [...lists].filter(([, list]) => list.scroller === scroller).map(([element]) => element);
      for (let more = 0; more < 8 && !own.every((list) => isDrawn(list, scroller)); more++) await frames();
      for (const node of taken) {
        const list = listAround(node, scroller);
        if (list && !lists.has(list)) lists.set(list, { scroller, rows: new Map() });
      }
      taken.clear();
      for (const [element, list] of lists) if (list.scroller === scroller) keep(element, list);
      // What holds all that it has shows it without being scrolled. Some keep a thousand pixels above what they show.
      if (scroller !== root && !isList(scroller) && y >= 2_500) break;
    }
    observer.disconnect();
    scroller.scrollTo({ top: before, behavior: "instant" });
  }
  const lost = (element: Element): readonly KeptRow[] => {
    const list = lists.get(element);
    if (!list) return [];
    const now = placesOf(element, list.scroller);
    // What changed where it stands, as a figure that counts up, is there still.
    const isGone = ({ top }: { readonly top: number }) =>
      !now.some((one) => one.top <= top + 1 && one.bottom > top + 1);
    return [...list.rows.values()].filter(isGone).sort((one, other) => one.top - other.top);
  };
  // Asked when the page is read: some lists take a while to draw their first rows again.
  if (lists.size > 0) (globalThis as World).agenticRows = lost;
  return { rows: kept, cut };
}
