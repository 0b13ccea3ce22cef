import { html } from "hono/html";
import { safeLink } from "../link.ts";
import type { Change, Changes } from "../report.ts";
import { shortAddress } from "../site.ts";
import { changesSentence, groupChanges } from "../wording.ts";
import type { Citer } from "./cite.ts";
import type { Html } from "./html.ts";

/** Material changes that the first page shows before it folds. */
const MAX_SHOWN = 12;
/** As many of a group are in sight at once. */
const MAX_UNFOLDED = 5;

/** What changed since the report before: what is material in sight, the rest folded. */
export function changesSection(changes: Changes, cite: Citer): Html {
  const { material, minor, unknown } = groupChanges(changes);
  const list = (all: readonly Change[]): Html =>
    html`<ul class="plain">${all.map((change) => item(change, cite))}</ul>`;
  const folded = (title: string, all: readonly Change[]): Html | "" =>
    all.length
      ? html`<details${all.length <= MAX_UNFOLDED ? html` open` : ""}><summary>${title}: ${all.length}</summary>${list(all)}</details>`
      : "";
  const shown = material.slice(0, MAX_SHOWN);
  return html`<section id="changes" aria-labelledby="changes-h"><h2 id="changes-h">What changed since <span class="day">${changes.since.slice(0, 10)}</span></h2>
<p>${changesSentence(changes)}</p>${shown.length ? html`<div class="material"><h3>Material</h3>${list(shown)}</div>` : ""}
${folded("More material changes", material.slice(MAX_SHOWN))}${folded("Smaller changes", minor)}${folded("What cannot be compared", unknown)}${unchanged(changes)}</section>`;
}

/** Sites at which nothing changed, of a report in which something did. */
function unchanged({ sites, list }: Changes): Html | "" {
  const same = sites.filter(({ status }) => status === "same").map(({ label }) => label);
  return same.length && list.length ? html`<p class="meta">Nothing changed at ${same.join(", ")}.</p>` : "";
}

function item({ sentence, claim, url }: Change, cite: Citer): Html {
  const address = safeLink(url);
  return html`<li>${sentence} <span class="meta">${cite.links(claim ? [claim] : [])}${claim && address ? " · " : ""}${address ? html`<a href="${address}" rel="noreferrer noopener">${shortAddress(address)}</a>` : ""}</span></li>`;
}
