import { html } from "hono/html";
import { moneyPer } from "../price.ts";
import type { Competitor, Dossier } from "../report.ts";
import { ALL_THEMES, audiencesOf } from "../themes.ts";
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
    ["Site", "Offer", "As published", html`<th scope="col" class="n">${dossier.currency} a month</th>`],
    dossier.prices.map(
      ({ site, offer, original, monthly, per, from }) =>
        html`<tr><th scope="row"><a href="#${site}">${label.get(site)}</a></th><td>${offer}</td><td>${original}</td><td class="n">${monthly === null ? "not comparable" : `${from ? "≥ " : ""}${moneyPer(monthly, dossier.currency, per)}`}</td></tr>`,
    ),
  );
}

export function offerTable({ competitors, currency }: Dossier): Html {
  return table(
    "Offers",
    [
      "Site",
      html`<th scope="col" class="n">Offers</th>`,
      html`<th scope="col" class="n">Entry a month</th>`,
      "Free",
      "Guarantee",
      html`<th scope="col" class="n">Proof</th>`,
      html`<th scope="col" class="n">Features</th>`,
      "Asks visitors to",
    ],
    competitors.map(
      (c) =>
        html`<tr><th scope="row">${link(c)}</th><td class="n">${c.analysis.offers.length}</td><td class="n">${c.entryMonthly === null ? "–" : moneyPer(c.entryMonthly, currency, c.entryPer)}</td><td>${mark(c.free)}</td><td>${mark(c.analysis.proof.some(({ kind }) => kind === "guarantee"))}</td><td class="n">${c.analysis.proof.length}</td><td class="n">${c.breadth}</td><td>${c.calls.join(", ") || "–"}</td></tr>`,
    ),
  );
}

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

export function failureTable({ failures }: Dossier): Html {
  return failures.length
    ? table(
        "Sites that failed",
        ["Site", "Step", "Reason", "What happened"],
        failures.map(
          ({ item, step, reason, message }) =>
            html`<tr><th scope="row">${item}</th><td>${step}</td><td>${reason}</td><td class="long">${message}</td></tr>`,
        ),
      )
    : html`<p>None: every site was captured and analyzed.</p>`;
}

export function captureTable({ competitors }: Dossier): Html {
  return table(
    "How each page was captured",
    [
      "Site",
      "Captured (UTC)",
      html`<th scope="col" class="n">Status</th>`,
      "robots.txt",
      "Consent banner",
      "Refused by the egress proxy",
      "Cut",
    ],
    competitors.map(
      ({ capture, ...c }) =>
        html`<tr><th scope="row"><a href="#${c.id}">${c.label}</a></th><td>${capture.capturedAt.slice(0, 16).replace("T", " ")}</td><td class="n">${capture.status}</td><td>${capture.robots}</td><td>${capture.consentClosed ? `closed with “${capture.consentClosed}”` : "none seen"}</td><td>${refusals(capture.egress.refused)}</td><td>${capture.truncated.join("; ") || "–"}</td></tr>`,
    ),
  );
}

export function refusals(refused: Competitor["capture"]["egress"]["refused"]): string {
  return refused.map(({ host, reason, count }) => `${host} ×${count} (${reason})`).join(", ") || "nothing";
}
