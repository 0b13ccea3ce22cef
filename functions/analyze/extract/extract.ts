import type { Analysis } from "../../../pipeline/analysis.ts";
import { findAudience } from "./audience.ts";
import { findCallsToAction } from "./calls-to-action.ts";
import { findCaveats } from "./caveats.ts";
import { findOffers } from "./offers.ts";
import { findName, findPositioning } from "./positioning.ts";
import { findProof } from "./proof.ts";
import { findTechnology } from "./technology.ts";
import { visibleDocument } from "./visible.ts";

/** A page as scrape captured it. */
export interface Page {
  /** Rendered DOM. */
  readonly html: string;
  readonly url: string;
  readonly title: string;
  readonly description: string;
  /** Artifact key that every piece of evidence names. */
  readonly screenshot: string;
}

/** The extractive analyst: what the page itself says, found by its markup and wording. Deterministic, and no model. */
export function extract(page: Page): Omit<Analysis, "site" | "analyst" | "design"> {
  const { html, url, title, description, screenshot } = page;
  const document = visibleDocument(html);
  const name = findName(document, title, url);
  return {
    name,
    positioning: findPositioning(document, description, screenshot),
    audience: findAudience(document, description, screenshot),
    callsToAction: findCallsToAction(document, url, screenshot),
    proof: findProof(document, screenshot),
    technology: findTechnology(document, html, screenshot),
    caveats: findCaveats(html),
    offers: findOffers(document, url, name, screenshot),
  };
}
