/// <reference lib="dom" />

/** A link as the page has it. */
export interface Link {
  readonly href: string;
  /** What a visitor reads of it, or hears. */
  readonly words: string;
}

export interface PageLinks {
  /** In the page's order, each address once. */
  readonly links: readonly Link[];
  /** Links that the page has beyond the limit. */
  readonly more: number;
  /** The address that the page says it has; empty where it says none. */
  readonly canonical: string;
}

/** Links and elements that are looked at, and characters that are kept of each address and its words. */
export const LINK_LIMITS = { links: 2_000, elements: 50_000, href: 1_500, words: 80 };

/** Runs in the page: its links, those in open shadow roots in their places. */
export function readLinks(limits: typeof LINK_LIMITS): PageLinks {
  const links = new Map<string, string>();
  let elements = 0;
  let more = 0;
  // A document's own names come before its methods: <img name="querySelectorAll">.
  const all = Document.prototype.querySelectorAll;
  const visit = (root: Document | ShadowRoot): void => {
    const found = root instanceof Document ? all.call(root, "*") : root.querySelectorAll("*");
    for (const element of found) {
      if (++elements > limits.elements) return;
      if (element.shadowRoot) visit(element.shadowRoot);
      if (!(element instanceof HTMLAnchorElement) || !/^https?:/.test(element.href)) continue;
      const { href } = element;
      if (href.length > limits.href || links.get(href)) continue;
      if (links.size >= limits.links && !links.has(href)) {
        more++;
        continue;
      }
      const said = element.textContent.slice(0, 500).replace(/\s+/g, " ").trim();
      const words = said || (element.getAttribute("aria-label") ?? element.title);
      links.set(href, words.slice(0, limits.words));
    }
  };
  visit(document);
  const [said] = all.call(document, 'link[rel~="canonical" i]');
  const canonical = said instanceof HTMLLinkElement ? said.href : "";
  return {
    links: [...links].map(([href, words]) => ({ href, words })),
    more,
    canonical: /^https?:/.test(canonical) && canonical.length <= limits.href ? canonical : "",
  };
}
