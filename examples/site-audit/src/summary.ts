import type { Summary } from "agentic-kubernetes/agent";
import { groupByRule, type Page } from "./finding.js";

const MAX_FACTS = 200;

/** A fact for each rule that found something, with its first place as evidence. */
export function findingFacts(pages: readonly Page[]): Summary["facts"] {
  return groupByRule(pages)
    .slice(0, MAX_FACTS)
    .flatMap(({ rule, impact, title, places }) => {
      const [first] = places;
      if (!first) return [];
      const count = places.length === 1 ? "1 place" : `${places.length} places`;
      const quote = first.evidence ?? first.detail;
      return [{ label: "Finding", value: `${title} (${rule}, ${impact}, ${count})`, quote, url: first.url }];
    });
}
