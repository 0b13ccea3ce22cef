import { html } from "hono/html";
import { describePrice } from "../../../pipelines/market-analysis/price.ts";
import { isRead } from "../coverage.ts";
import { safeLink } from "../link.ts";
import { matrixOf } from "../matrix.ts";
import { moneyPer } from "../price.ts";
import type { Competitor, Dossier, PriceSeries } from "../report.ts";
import { shortAddress } from "../site.ts";
import { ALL_THEMES, audiencesOf } from "../themes.ts";
import { refusals, STATE_NAMES } from "../wording.ts";
import type { Html } from "./html.ts";

const mark = (yes: boolean): Html => (yes ? html`<span class="yes">✓ yes</span>` : html`<span class="no">no</span>`);
const names = (dossier: Dossier): ReadonlyMap<string, string> =>
  new Map(dossier.competitors.map(({ id, label }) => [id, label]));
const link = ({ id, label }: Competitor): Html => html`<a href="#${id}">${label}</a>`;

/** A table that scrolls inside itself on a narrow screen; the keyboard reaches it. */
function table(label: string, head: readonly (string | Html)[], rows: readonly Html[]): Html {
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table><thead><tr>${head.map((cell) => (typeof cell === "string" ? html`<th scope="col">${cell}</th>` : cell))}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function priceTable(dossier: Dossier): Html {
  const label = names(dossier);
  return table(
    "Prices",
    ["Site", "Offer", "As published", html`<th scope="col" class="n">${dossier.currency} a month</th>`, "Claim"],
    dossier.prices.map(
      ({ site, offer, claim, original, monthly, per, from }) =>
        html`<tr><th scope="row"><a href="#${site}">${label.get(site)}</a></th><td>${offer}</td><td>${original}</td><td class="n">${monthly === null ? "not comparable" : `${from ? "≥ " : ""}${moneyPer(monthly, dossier.currency, per)}`}</td><td><a href="#${claim}">${claim}</a></td></tr>`,
    ),
  );
}

const number = (title: string): Html => html`<th scope="col" class="n">${title}</th>`;

/** The sites side by side. */
export function matrixTable(dossier: Dossier): Html {
  return table(
    "Side by side",
    [
      "Site",
      number("Offers"),
      number("Entry a month"),
      "Free",
      "Trial",
      "Guarantee",
      number("Proof"),
      number("Features"),
      "Primary call",
      "Themes",
    ],
    matrixOf(dossier).map(
      (row) =>
        html`<tr><th scope="row"><a href="#${row.id}">${row.label}</a></th><td class="n">${row.offers}</td><td class="n">${row.entry ?? "–"}</td><td>${mark(row.free)}</td><td>${row.trial === undefined || row.trial === "yes" ? mark(row.trial === "yes") : html`<span class="yes">✓ ${row.trial}</span>`}</td><td>${mark(row.guarantee)}</td><td class="n">${row.proof}</td><td class="n">${row.features}</td><td>${row.primaryCall ?? "–"}</td><td class="long">${row.themes.join(", ") || "–"}</td></tr>`,
    ),
  );
}

/** Every price that was ever another. */
export function historyTable(moved: readonly PriceSeries[]): Html {
  return table(
    "Prices that moved",
    ["Site", "Offer", "First seen", "First price", "Now", number("Changes")],
    moved.map(({ label, offer, points }) => {
      const [first] = points;
      const steps = points.filter((point, at) => at > 0 && priceText(point) !== priceText(points[at - 1])).length;
      return html`<tr><th scope="row">${label}</th><td>${offer}</td><td>${first?.at.slice(0, 10)}</td><td>${priceText(first)}</td><td>${priceText(points.at(-1))}</td><td class="n">${steps}</td></tr>`;
    }),
  );
}

const priceText = (point: PriceSeries["points"][number] | undefined): string =>
  point?.price ? describePrice(point.price) : "none named";

export function positioningTable({ competitors }: Dossier): Html {
  return table(
    "Positioning",
    ["Site", "Main claim", "Speaks to"],
    competitors.map(
      (c) =>
        html`<tr><th scope="row">${link(c)}</th><td class="long">${c.analysis.positioning?.value ?? "makes no main claim"}</td><td>${
          audiencesOf(c.analysis).join(", ") ||
          c.analysis.audience
            .slice(0, 2)
            .map(({ value }) => value)
            .join(", ") ||
          "–"
        }</td></tr>`,
    ),
  );
}

export function themeTable({ competitors }: Dossier): Html {
  return table(
    "Who claims what",
    ["Site", ...ALL_THEMES.map((theme) => html`<th scope="col" class="c">${theme}</th>`)],
    [
      ...competitors.map(
        (c) =>
          html`<tr><th scope="row">${link(c)}</th>${ALL_THEMES.map((theme) => html`<td class="c">${c.themes.includes(theme) ? html`<span class="yes" role="img" aria-label="yes">●</span>` : ""}</td>`)}</tr>`,
      ),
      html`<tr><th scope="row">In all</th>${ALL_THEMES.map((theme) => html`<td class="c">${competitors.filter((c) => c.themes.includes(theme)).length}</td>`)}</tr>`,
    ],
  );
}

/** Every page that was to be read, and what came of it. */
export function coverageTable({ coverage, competitors }: Dossier): Html {
  const known = new Map(competitors.map(({ item, id, label }) => [item, { id, label }]));
  return table(
    "Coverage",
    ["Site", "Page", "Kind", "State", "Why"],
    coverage.map((one) => {
      const site = known.get(one.site);
      const address = safeLink(one.url);
      const path = shortAddress(one.url);
      return html`<tr><th scope="row">${site ? html`<a href="#${site.id}">${site.label}</a>` : one.site}</th><td>${address ? html`<a href="${address}" rel="noreferrer noopener">${path}</a>` : path}</td><td>${one.kind}</td><td>${isRead(one) ? html`<span class="yes">✓ ${STATE_NAMES[one.state]}</span>` : html`<strong>✗ ${STATE_NAMES[one.state]}</strong>`}</td><td class="long">${[one.reason, one.message].filter(Boolean).join(": ") || "–"}</td></tr>`;
    }),
  );
}

export function captureTable({ competitors }: Dossier): Html {
  return table(
    "How each page was captured",
    ["Page", "Captured (UTC)", number("Status"), "robots.txt", "Consent banner", "Refused by the egress proxy", "Cut"],
    competitors.flatMap(({ id, label, pages }) =>
      pages.map(
        ({ kind, capture }) =>
          html`<tr><th scope="row"><a href="#${id}">${label}</a>${pages.length > 1 ? html` <span class="meta">${kind}</span>` : ""}</th><td>${capture.capturedAt.slice(0, 16).replace("T", " ")}</td><td class="n">${capture.status}</td><td>${capture.robots}</td><td>${capture.consentClosed ? `closed with “${capture.consentClosed}”` : "none seen"}</td><td>${refusals(capture.egress.refused)}</td><td>${capture.truncated.join("; ") || "–"}</td></tr>`,
      ),
    ),
  );
}
