import { createHash } from "node:crypto";
import { html, raw } from "hono/html";
import { addUsage } from "../../../engine/result.ts";
import { historyChart } from "../charts/history-chart.ts";
import { positioningChart } from "../charts/positioning-chart.ts";
import { priceCharts } from "../charts/price-chart.ts";
import { hasMoved } from "../history.ts";
import type { Pictures } from "../pictures.ts";
import type { Insight, Report } from "../report.ts";
import {
  analysts,
  authorOf,
  confidenceSentence,
  costSentences,
  extractiveNote,
  figuresOf,
  METHOD,
  reviewSentence,
} from "../wording.ts";
import { changesSection } from "./changes.ts";
import { createCiter } from "./cite.ts";
import { competitorPage } from "./competitor.ts";
import type { Html } from "./html.ts";
import { STYLE } from "./style.ts";
import {
  captureTable,
  coverageTable,
  historyTable,
  matrixTable,
  positioningTable,
  priceTable,
  themeTable,
} from "./tables.ts";

/** No script runs and nothing is loaded: the one style sheet is allowed by its hash, pictures stand in the page. */
const POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; img-src data:; base-uri 'none'; form-action 'none'`;

const CONTENTS: readonly (readonly [string, string])[] = [
  ["changes", "What changed"],
  ["answer", "The answer"],
  ["gaps", "Gaps and opportunities"],
  ["standouts", "What stands out"],
  ["prices", "Prices"],
  ["history", "Prices over time"],
  ["offers", "Side by side"],
  ["positioning", "Positioning"],
  ["competitors", "The competitors"],
  ["method", "Method, limits and review"],
];

/** report.html: one self-contained file. */
export async function reportPage(report: Report, pictures: Pictures): Promise<string> {
  const { narrative, competitors, changes } = report;
  const cite = createCiter(report);
  const claims = Map.groupBy(report.claims, ({ site }) => site);
  const moved = report.history.filter(hasMoved);
  const history = historyChart(report);
  const contents = CONTENTS.filter(([id]) => id !== "changes" || changes);
  const map = positioningChart(report);
  const prices = priceCharts(report);
  const extractive = extractiveNote(report);
  const insights = (list: readonly Insight[], none: string): Html =>
    list.length
      ? html`<ul class="insights">${list.map((insight) => html`<li><h3>${insight.title}</h3><p>${insight.text}</p>${cite.basis(insight)}</li>`)}</ul>`
      : html`<p>${none}</p>`;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer">
<title>${report.objective} – market analysis</title><style>${raw(STYLE)}</style></head><body>
<a class="skip" href="#answer">To the answer</a>
<header><p class="meta">Market analysis · ${report.workload.namespace}/${report.workload.name} · ${report.date.slice(0, 10)}</p>
<h1>${report.objective}</h1>
<p class="meta">${analysts(report)} ${authorOf(report)}</p>
${extractive ? html`<p class="notice"><span class="tag">Extractive analyst</span> ${extractive}</p>` : ""}
${report.review.automatic ? html`<p class="notice"><span class="tag">Not reviewed by a person</span> ${reviewSentence(report)}</p>` : ""}</header>
<main>
${changes ? changesSection(changes, cite) : ""}
<section id="answer" aria-labelledby="answer-h"><h2 id="answer-h">The answer</h2>
<p class="answer">${cite.text(narrative.answer)}</p><div class="recommend"><h3>Recommendation</h3><p>${cite.text(narrative.recommendation)}</p><p class="meta">${confidenceSentence(narrative.confidence, report)}</p></div>
<dl class="figures">${figuresOf(report).map(({ label, value, note }) => html`<div><dt>${label}</dt><dd class="big">${value}</dd><dd class="note">${note}</dd></div>`)}</dl>
<h3>What this rests on</h3>${narrative.claims.length ? html`<ul class="plain">${narrative.claims.map((claim) => html`<li><strong>${claim.title}.</strong> ${cite.text(claim.text)} ${cite.basis(claim)}</li>`)}</ul>` : html`<p>The figures above and the pages below.</p>`}</section>
<nav aria-labelledby="contents-h"><h2 id="contents-h">Contents</h2><ol>${contents.map(([id, title]) => html`<li><a href="#${id}">${title}</a>${id === "competitors" ? html`<ol>${competitors.map((c) => html`<li><a href="#${c.id}">${c.label}</a></li>`)}</ol>` : ""}</li>`)}</ol></nav>
<section id="gaps" class="page"><h2>Gaps and opportunities</h2>${insights(report.gaps, "So few sites show no gaps.")}
<h3>What nearly all say or do</h3>${insights(report.saturated, "There is nothing that nearly all say or do.")}</section>
<section id="standouts"><h2>What stands out</h2>${insights(report.standouts, "No site differs from the others in what the report measures.")}</section>
<section id="prices" class="page"><h2>Prices</h2>${prices.length ? html`<figure>${prices.map((chart) => html`<div class="scroll" role="region" aria-label="Price chart" tabindex="0">${chart}</div>`)}<figcaption>Each mark is an offer’s price for one month; yearly prices are divided by twelve.</figcaption></figure>` : ""}
${report.prices.length ? priceTable(report) : html`<p>No site names a price.</p>`}</section>
<section id="history"><h2>Prices over time</h2>${history ? html`<figure><div class="scroll" role="region" aria-label="Chart of prices over time" tabindex="0">${history}</div><figcaption>Prices that moved, by the month. A dot is what a run saw, where it was another price than before; the table has the same.</figcaption></figure>` : ""}
${moved.length ? historyTable(moved) : html`<p>${changes ? "No price moved in the runs that were compared." : "This is the first run: there is no earlier price."}</p>`}</section>
<section id="offers"><h2>Side by side</h2>${matrixTable(report)}</section>
<section id="positioning"><h2>Positioning</h2>${map ? html`<figure><div class="scroll" role="region" aria-label="Positioning chart" tabindex="0">${map.picture}</div><figcaption>Right: a higher entry price. Up: more shown for it.${map.unplaced.length ? ` Drawn without a label, for lack of room: ${map.unplaced.join(", ")}.` : ""}</figcaption></figure>` : ""}
${positioningTable(report)}<div class="keep"><h3>Who claims what</h3>${themeTable(report)}</div></section>
<section id="competitors" class="page"><h2>The competitors</h2><p>For each the page as it looked, what its pages say, and the words that say so. Other parts of the report cite these claims by number.</p>
${competitors.map((one) => competitorPage(one, claims.get(one.id) ?? [], { site: pictures.sites.get(one.id), claims: pictures.claims }))}</section>
<section id="method" class="page"><h2>Method, limits and review</h2>${METHOD.map((sentence) => html`<p>${sentence}</p>`)}
<h3>Review</h3><p>${reviewSentence(report)}</p>${report.review.comment ? html`<blockquote>${report.review.comment}</blockquote>` : ""}<p class="digest">findings sha256 ${report.review.digest}</p>
<h3>Coverage</h3>${coverageTable(report)}
<h3>How each page was captured</h3>${captureTable(report)}
<h3>Caveats</h3><ul class="plain">${[...report.narrative.caveats, ...report.caveats].map((caveat) => html`<li>${caveat}</li>`)}</ul>
<h3>Cost</h3><p>${costSentences(addUsage(report.usage, narrative.usage))}</p>${report.trace ? html`<p><a href="${report.trace}">Trace of the run</a>: what was done when, and what each call cost.</p>` : ""}</section>
</main><footer><p class="meta">Run ${report.run} of ${report.workload.namespace}/${report.workload.name}. The same data is in report.json.</p></footer>
</body></html>
`;
  return String(await page);
}
