import { html } from "hono/html";
import type { MadeCorrection } from "../../../engine/findings.ts";
import type { Html } from "../../../lib/page/document.ts";
import { clip, httpUrl, itemText } from "../../../lib/page/text.ts";
import type { FindingView } from "../load.ts";
import type { Fact, SummaryView } from "../summary-view.ts";
import { corrected, notedBefore, type SaidOfFact } from "./correction.ts";

/** The review page's form: buttons at findings send it, too. */
export const FORM = "decision";

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

/** What is said of a finding's facts, by their ids. */
export interface FactCorrections {
  /** Of the facts as they are. */
  readonly now: ReadonlyMap<string, SaidOfFact>;
  /** By an earlier review, of facts that had another value then. */
  readonly before: ReadonlyMap<string, MadeCorrection>;
}

interface RowOptions {
  readonly columns: readonly string[];
  /** Whether the table has a column for the step. */
  readonly steps: boolean;
  readonly said: FactCorrections;
}

export function findingRow(view: FindingView, index: number, { columns, steps, said }: RowOptions): Html {
  const { finding, summary, problem } = view;
  const cell = (label: string): Html | string => {
    const fact = summary?.single.find((one) => one.label === label);
    return fact ? withCorrection(fact, clip(fact.value, MAX_CELL), said) : "";
  };
  return html`<tr>
    <th scope="row"><a href="#item-${index}">${titleOf(view)}</a></th>
    ${steps ? html`<td class="step">${finding.step}</td>` : ""}
    ${columns.map((label) => html`<td>${cell(label)}</td>`)}
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

interface CardOptions extends Omit<RowOptions, "columns"> {
  readonly pictureUrl: PictureUrl;
  /** Whether its facts can still be corrected. */
  readonly open: boolean;
}

export function findingCard(view: FindingView, index: number, { steps, said, open, pictureUrl }: CardOptions): Html {
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
      ${summary ? summaryBody(summary, said) : plainBody(view)}
      ${open && summary?.correctable ? html`<button class="minor" form="${FORM}" name="edit" value="${index}">Correct facts of ${clip(titleOf(view), 60)}</button>` : ""}
    </div>
  </article>`;
}

function picture({ image, full, alt, width, height }: SummaryView["pictures"][number], pictureUrl: PictureUrl): Html {
  const img = html`<img loading="lazy" width="${width}" height="${height}" src="${pictureUrl(image)}" alt="${alt}">`;
  return full ? html`<a href="${pictureUrl(full)}">${img}</a>` : img;
}

function summaryBody({ single, groups, caveats, hidden }: SummaryView, said: FactCorrections): Html {
  return html`${caveats.length > 0 ? html`<ul class="caveats" aria-label="Caveats">${caveats.map((caveat) => html`<li>${caveat}</li>`)}</ul>` : ""}
    ${single.length > 0 ? html`<dl class="list">${single.map((fact) => html`<div><dt>${fact.label}</dt><dd>${factBody(fact, said)}</dd></div>`)}</dl>` : ""}
    ${groups.map(({ label, count, facts }) => html`<details${facts.some((fact) => isSaidOf(fact, said)) ? html` open` : ""}><summary>${label} (${count})</summary><ul>${facts.map((fact) => html`<li>${factBody(fact, said)}</li>`)}</ul></details>`)}
    ${hidden > 0 ? html`<p class="soft">${hidden} more ${hidden === 1 ? "entry of this summary does" : "entries of this summary do"} not fit on this page.</p>` : ""}`;
}

/** The value, and what proves it: the words, and where they stand. */
function factBody(fact: Fact, said: FactCorrections): Html {
  const { value, quote, url } = fact;
  return html`${withCorrection(fact, linked(value), said)}${quote && quote !== value ? html`<blockquote>${quote}</blockquote>` : ""}${url && url !== value ? html` <span class="source">${linked(url)}</span>` : ""}`;
}

const isSaidOf = ({ id = "" }: Fact, { now, before }: FactCorrections): boolean => now.has(id) || before.has(id);

function withCorrection({ id = "" }: Fact, shown: Html | string, { now, before }: FactCorrections): Html | string {
  const correction = now.get(id);
  const note = before.get(id);
  const value = correction ? corrected(shown, correction) : shown;
  return note ? html`${value}${notedBefore(note)}` : value;
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
