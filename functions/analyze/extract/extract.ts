import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import { findAudience } from "./audience.ts";
import { findCallsToAction } from "./calls-to-action.ts";
import { instructsModel } from "./instructs.ts";
import { findLayout } from "./layout.ts";
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

export type Extracted = Omit<Analysis, "site" | "analyst" | "design" | "usage"> & Pick<Analysis["design"], "layout">;

/** The extractive analyst: finds what the page says by its markup and wording. Deterministic, without a model. */
export function extract(page: Page): Extracted {
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
    layout: findLayout(document),
  };
}

/** What a reader of the report must know of this page. */
function findCaveats(html: string): string[] {
  return instructsModel(html)
    ? ["The page tries to instruct the reader's model. It was read as data, and no instruction was followed."]
    : [];
}
