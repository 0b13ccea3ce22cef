import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { PageState } from "../../../pipelines/market-analysis/capture.ts";
import { findAudience } from "./audience.ts";
import { findCallsToAction } from "./calls-to-action.ts";
import { sharedSigns } from "./currency.ts";
import { citing, type EvidenceSource } from "./evidence.ts";
import { instructsModel } from "./instructs.ts";
import { findLayout } from "./layout.ts";
import type { Box } from "./marks.ts";
import { findOffers } from "./offers.ts";
import { statesIn, withOtherPrices } from "./other-states.ts";
import { PICTURED, pricesInPictures } from "./pictured.ts";
import { findName, findPositioning, pageNames } from "./positioning.ts";
import { findProof } from "./proof.ts";
import { offersOfStates } from "./state-offers.ts";
import { structuredOffers, withStructured } from "./structured-data.ts";
import { findTechnology } from "./technology.ts";
import { visibleDocument } from "./visible.ts";

/** A page as scrape captured it. */
export interface Page extends EvidenceSource {
  /** Rendered DOM. */
  readonly html: string;
  readonly title: string;
  readonly description: string;
  /** With its tabs and switches pressed. */
  readonly states?: readonly PageState[];
}

export type Extracted = Omit<Analysis, "site" | "analyst" | "design" | "usage"> &
  Pick<Analysis["design"], "layout"> & {
    /** Where prices may be that only a picture shows. */
    readonly pictured?: Box;
  };

/** The extractive analyst: finds what the page says by its markup and wording. Deterministic, without a model. */
export function extract(page: Page): Extracted {
  const { html, url, title, description, states = [] } = page;
  const cite = citing(page);
  const document = visibleDocument(html);
  const name = findName(document, title, url);
  const shared = sharedSigns(document, url);
  const told = statesIn(html);
  const shown = withOtherPrices(findOffers(document, shared, name, cite), told, shared);
  const visible = [...shown, ...offersOfStates(states, shown, { told, shared, site: name, cite })];
  const { offers, caveats } = withStructured(visible, structuredOffers(document, name, cite));
  const pictured = offers.length === 0 ? pricesInPictures(document, url, title) : undefined;
  return {
    name,
    positioning: findPositioning(document, pageNames(title, name), description, cite),
    audience: findAudience(document, description, cite),
    callsToAction: findCallsToAction(document, url, cite),
    proof: findProof(document, cite),
    technology: findTechnology(document, html, cite),
    caveats: [...(instructsModel(html) ? [INSTRUCTS] : []), ...caveats, ...(pictured ? [PICTURED] : [])],
    offers,
    layout: findLayout(document),
    ...(pictured ? { pictured } : {}),
  };
}

/** What a reader of the report must know of a page. */
const INSTRUCTS =
  "The page tries to instruct the reader's model. It was read as data, and no instruction was followed.";
