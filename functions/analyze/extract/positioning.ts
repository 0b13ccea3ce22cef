import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import { type PageDocument, textOf } from "./visible.ts";

/** The main claim: the first heading, with the line below it where that is short enough to belong to it. */
export function findPositioning(document: PageDocument, description: string, cite: Cite): Analysis["positioning"] {
  const heading = [...document.querySelectorAll("h1, h2")].find((one) => textOf(one).length >= 3);
  const said = heading ? textOf(heading) : description.trim();
  return said ? { value: said.slice(0, 300), evidence: cite(said, heading) } : null;
}

/** The site's name: from its structured data, else the brand in its header, else its title, else its host. */
export function findName(document: PageDocument, title: string, url: string): string {
  const host = new URL(url).hostname.replace(/^www\./, "");
  const word = host.split(".")[0] ?? host;
  const candidates = [
    document.querySelector("meta[property='og:site_name']")?.getAttribute("content"),
    brandIn(document),
    // Of "Shiftwell – Planning for teams" the part that the host repeats, else the last, which is where names stand.
    title.split(/\s[–—|·:-]\s/).find((part) => squash(part).includes(squash(word))),
    title.split(/\s[–—|·]\s/).at(-1),
    word,
  ];
  return candidates.map((name) => name?.replace(/\s+/g, " ").trim()).find((name) => name && name.length <= 60) ?? host;
}

function brandIn(document: PageDocument): string | undefined {
  const brand = document.querySelector(
    "[class*='brand' i], header [class*='logo' i], nav [class*='logo' i], a[href='/'], a[href='#top']",
  );
  const text = brand && (textOf(brand) || brand.querySelector("img[alt]")?.getAttribute("alt") || "");
  return text && text.length <= 40 ? text : undefined;
}

function squash(text: string): string {
  return text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}
