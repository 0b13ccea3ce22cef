import type { Summary } from "agentic-kubernetes/agent";
import { countByKind, KIND_NAMES, KINDS, type Page } from "../finding.js";
import { VIEWPORT } from "../open.js";
import { findingFacts } from "../summary.js";

/** What a reviewer sees of one page. */
export function pageSummary(page: Page): Summary {
  const counts = countByKind(page.findings);
  return {
    title: page.title || page.url,
    subtitle: page.url,
    facts: [
      ...KINDS.map((kind) => ({ label: KIND_NAMES[kind], value: String(counts[kind]) })),
      ...findingFacts([page]),
    ],
    pictures: [{ image: page.screenshot, alt: `The first screen of ${page.title || page.url}`, ...VIEWPORT }],
    caveats: page.caveats,
  };
}
