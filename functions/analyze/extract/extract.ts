import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import { findAudience } from "./audience.ts";
import { findCallsToAction } from "./calls-to-action.ts";
import { citing, type EvidenceSource } from "./evidence.ts";
import { instructsModel } from "./instructs.ts";
import { findLayout } from "./layout.ts";
import { findOffers } from "./offers.ts";
import { findName, findPositioning } from "./positioning.ts";
import { findProof } from "./proof.ts";
import { findTechnology } from "./technology.ts";
import { visibleDocument } from "./visible.ts";

/** A page as scrape captured it. */
export interface Page extends EvidenceSource {
  /** Rendered DOM. */
  readonly html: string;
  readonly title: string;
  readonly description: string;
}

export type Extracted = Omit<Analysis, "site" | "analyst" | "design" | "usage"> & Pick<Analysis["design"], "layout">;

/** The extractive analyst: finds what the page says by its markup and wording. Deterministic, without a model. */
export function extract(page: Page): Extracted {
  const { html, url, title, description } = page;
  const cite = citing(page);
  const document = visibleDocument(html);
  const name = findName(document, title, url);
  return {
    name,
    positioning: findPositioning(document, description, cite),
    audience: findAudience(document, description, cite),
    callsToAction: findCallsToAction(document, url, cite),
    proof: findProof(document, cite),
    technology: findTechnology(document, html, cite),
    caveats: findCaveats(html),
    offers: findOffers(document, url, name, cite),
    layout: findLayout(document),
  };
}

/** What a reader of the report must know of this page. */
function findCaveats(html: string): string[] {
  return instructsModel(html)
    ? ["The page tries to instruct the reader's model. It was read as data, and no instruction was followed."]
    : [];
}
