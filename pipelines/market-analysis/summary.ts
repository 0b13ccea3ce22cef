import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import { canonicalJson } from "../../engine/canonical.ts";
import { type Summary, summarySchema } from "../../engine/summary.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { Capture } from "./capture.ts";

type Fact = Summary["facts"][number];

/** A fact for the reviewer, cut to what a summary takes. A quote that only repeats the value is left out. */
export function fact(
  label: string,
  value: string,
  { id, quote, url }: { id?: string; quote?: string; url?: string | undefined } = {},
): Fact {
  return {
    ...(id === undefined ? {} : { id }),
    label,
    value: shorten(value, 1000),
    ...(quote === undefined || quote === "" || quote === value ? {} : { quote: shorten(quote, 1000) }),
    ...(url === undefined || url.length > 2048 ? {} : { url }),
  };
}

/** The viewport of a captured page, which links to the full page. */
export function pictureOf({ url, viewport, artifacts }: Capture): Summary["pictures"][number] {
  return {
    image: artifacts.screenshot,
    full: artifacts.fullPage,
    alt: `The page ${url} as it was captured`,
    ...viewport,
  };
}

/** Stores a summary, cut to what the review page takes. @returns its artifact key */
export function putSummary(
  artifacts: Artifacts,
  workload: ArtifactOwner,
  { title, subtitle, facts, pictures, caveats }: Summary,
): Promise<string> {
  const summary = summarySchema.parse({
    title: shorten(title, 200),
    ...(subtitle === undefined ? {} : { subtitle: shorten(subtitle, 2048) }),
    facts: facts.slice(0, 500),
    pictures: pictures.map((picture) => ({ ...picture, alt: shorten(picture.alt, 2300) })),
    caveats: caveats.slice(0, 50).map((caveat) => shorten(caveat, 1000)),
  });
  return artifacts.put(workload, canonicalJson(summary), "json");
}

/** Well-formed: text cut elsewhere may end in half a character, which has no canonical JSON. */
function shorten(text: string, length: number): string {
  return (text.length <= length ? text : `${text.slice(0, length - 1)}…`).toWellFormed();
}
