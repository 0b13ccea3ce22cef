import { html } from "hono/html";
import type { Html } from "../../../lib/page/document.ts";
import { clip, httpUrl, itemText } from "../../../lib/page/text.ts";
import type { FindingView } from "../load.ts";
import type { Fact, SummaryView } from "../summary-view.ts";

/** The address of a picture, by its artifact key. */
export type PictureUrl = (key: string) => string;

const MAX_CELL = 160;
const MAX_CAVEATS = 3;
const MAX_CAVEAT_CELL = 200;
/** Characters of a finding's data as JSON. */
const MAX_DATA = 4000;

function titleOf({ summary, finding }: FindingView): string {
  if (summary) return summary.title;
  return finding.item === undefined ? finding.step : clip(itemText(finding.item), 200);
}

/** @param steps whether the table has a column for the step */
export function findingRow(view: FindingView, index: number, columns: readonly string[], steps: boolean): Html {
  const { finding, summary, problem } = view;
  const cell = (label: string): string => summary?.single.find((fact) => fact.label === label)?.value ?? "";
  return html`<tr>
    <th scope="row"><a href="#item-${index}">${titleOf(view)}</a></th>
    ${steps ? html`<td class="step">${finding.step}</td>` : ""}
    ${columns.map((label) => html`<td>${clip(cell(label), MAX_CELL)}</td>`)}
    <td>${endOf(view)}${problem ? html`<span class="failed">${clip(problem, MAX_CAVEAT_CELL)}</span>` : ""}${summary ? caveatCell(summary) : ""}</td>
  </tr>`;
}

function caveatCell({ caveats }: SummaryView): Html {
  const more = caveats.length - MAX_CAVEATS;
  return html`${caveats.slice(0, MAX_CAVEATS).map((caveat) => html`<p>${clip(caveat, MAX_CAVEAT_CELL)}</p>`)}${more > 0 ? html`<p class="soft">and ${more} more</p>` : ""}`;
}

/** How a finding's step ended, where it did not succeed. */
function endOf({ finding: { step, outcome, reason = "Failed", message = "" } }: FindingView): Html | "" {
  if (outcome === "failed")
    return html`<span class="failed">${step} failed (${reason})${message ? `: ${message}` : ""}</span> `;
  return outcome === "skipped" ? html`<span class="soft">${step} was skipped.</span> ` : "";
}

export function findingCard(view: FindingView, index: number, steps: boolean, pictureUrl: PictureUrl): Html {
  const { finding, summary, problem } = view;
  const pictures = summary?.pictures ?? [];
  const end = endOf(view);
  return html`<article id="item-${index}"${pictures.length > 0 ? html` class="pictured"` : ""}>
    ${pictures.length > 0 ? html`<div class="pictures">${pictures.map((one) => picture(one, pictureUrl))}</div>` : ""}
    <div>
      <h3>${titleOf(view)}</h3>
      ${steps ? html`<p class="soft">Step ${finding.step}</p>` : ""}
      ${summary?.subtitle ? html`<p class="soft">${linked(summary.subtitle)}</p>` : ""}
      ${end ? html`<p>${end}</p>` : ""}
      ${problem ? html`<p class="failed">${problem}</p>` : ""}
      ${summary ? summaryBody(summary) : plainBody(view)}
    </div>
  </article>`;
}

function picture({ image, full, alt, width, height }: SummaryView["pictures"][number], pictureUrl: PictureUrl): Html {
  const img = html`<img loading="lazy" width="${width}" height="${height}" src="${pictureUrl(image)}" alt="${alt}">`;
  return full ? html`<a href="${pictureUrl(full)}">${img}</a>` : img;
}

function summaryBody({ single, groups, caveats, hidden }: SummaryView): Html {
  return html`${caveats.length > 0 ? html`<ul class="caveats" aria-label="Caveats">${caveats.map((caveat) => html`<li>${caveat}</li>`)}</ul>` : ""}
    ${single.length > 0 ? html`<dl class="list">${single.map((fact) => html`<div><dt>${fact.label}</dt><dd>${factBody(fact)}</dd></div>`)}</dl>` : ""}
    ${groups.map(({ label, count, facts }) => html`<details><summary>${label} (${count})</summary><ul>${facts.map((fact) => html`<li>${factBody(fact)}</li>`)}</ul></details>`)}
    ${hidden > 0 ? html`<p class="soft">${hidden} more ${hidden === 1 ? "entry of this summary does" : "entries of this summary do"} not fit on this page.</p>` : ""}`;
}

/** The value, and what proves it: the words, and where they stand. */
function factBody({ value, quote, url }: Fact): Html {
  return html`${linked(value)}${quote && quote !== value ? html`<blockquote>${quote}</blockquote>` : ""}${url && url !== value ? html` <span class="source">${linked(url)}</span>` : ""}`;
}

function linked(text: string): Html | string {
  const url = httpUrl(text);
  return url ? html`<a href="${url}" rel="noopener noreferrer">${clip(text, 120)}</a>` : text;
}

/** A finding without a summary. */
function plainBody({ finding: { output, data } }: FindingView): Html {
  return html`${output === undefined ? "" : html`<p>${output}</p>`}
    ${data === undefined ? "" : html`<pre tabindex="0">${clip(JSON.stringify(data, null, 2), MAX_DATA)}</pre>`}`;
}
