import { scaleSqrt } from "d3-scale";
import { html } from "hono/html";
import { money } from "../../../pipelines/market-analysis/price.ts";
import type { Html } from "../page/html.ts";
import type { Competitor, Dossier } from "../report.ts";
import { mark, squareNote } from "./mark.ts";
import { priceTicks } from "./price-ticks.ts";
import { clip } from "./text.ts";

const WIDTH = 760;
const NAMES = 190;
const RANGE = 130;
const ROW = 26;
const TOP = 34;
const AXIS = 30;

/** What a printed page has room for. */
const MAX_ROWS = 25;

/**
 * One line a site: flat prices before those per user, cheapest entry first; a mark for each comparable monthly price. Of many sites several
 * charts of one scale. None without a price: there is nothing to draw.
 */
export function priceCharts({ competitors, prices, currency }: Dossier): Html[] {
  const comparable = prices.flatMap((price) => (price.monthly === null ? [] : [{ ...price, monthly: price.monthly }]));
  if (comparable.length === 0) return [];
  const all = [...competitors].sort((a, b) => group(a) - group(b) || order(a) - order(b));
  const charts = Math.ceil(all.length / MAX_ROWS);
  const most = Math.max(1, ...comparable.map(({ monthly }) => monthly));
  // Square roots: small prices keep their distance beside one that is fifty times as large.
  const x = scaleSqrt()
    .domain([0, most])
    .nice()
    .range([NAMES + 14, WIDTH - RANGE - 14]);
  const ticks = priceTicks(x);
  const square = squareNote(comparable.map(({ per }) => per));
  const notes = [
    ...(square ? [square] : []),
    ...(comparable.some(({ from }) => from) ? ["a hollow mark is “from”"] : []),
  ];
  return Array.from({ length: charts }, (_, chart) => {
    const rows = all.slice(chart * MAX_ROWS, (chart + 1) * MAX_ROWS);
    const bottom = TOP + rows.length * ROW;
    return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${bottom + AXIS}" role="img" aria-labelledby="price-title-${chart} price-desc-${chart}">
<title id="price-title-${chart}">Prices a month by site${charts > 1 ? `, ${chart + 1} of ${charts}` : ""}</title>
<desc id="price-desc-${chart}">${rows.map((row) => `${row.label}: ${rangeOf(row, comparable, currency)}`).join("; ")}</desc>
<text class="axis" x="${NAMES + 14}" y="14">${currency} a month, square-root scale${notes.map((note) => `; ${note}`)}</text>
${ticks.map((tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP - 8}" y2="${bottom}"/><text class="axis" x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${money(tick, currency)}</text>`)}
${rows.map((row, at) => {
  const y = TOP + at * ROW + ROW / 2;
  const own = comparable.filter(({ site }) => site === row.id);
  const low = own[0]?.monthly;
  const high = own.at(-1)?.monthly;
  return html`<text class="label" x="${NAMES}" y="${y + 4}" text-anchor="end">${clip(row.label, 27)}</text>
${low === undefined || high === undefined ? "" : html`<line class="range" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>`}
${own.map(({ monthly, per, from, offer, original }) => mark(x(monthly), y, 5, { per: monthly > 0 ? per : undefined, from, title: `${row.label}, ${offer}: ${original}` }))}
<text class="value" x="${WIDTH - RANGE}" y="${y + 4}">${rangeOf(row, comparable, currency)}</text>`;
})}
</svg>`;
  });
}

const group = ({ entryMonthly, entryPer, free }: Competitor): number =>
  entryMonthly === null ? (free ? 0 : 2) : entryPer === undefined ? 0 : 1;
const order = ({ entryMonthly, free }: Competitor): number => entryMonthly ?? (free ? -1 : Number.MAX_VALUE);

function rangeOf(
  { id }: Competitor,
  prices: readonly { site: string; monthly: number; per?: string | undefined }[],
  currency: string,
): string {
  const own = prices.filter(({ site }) => site === id);
  const [low, high] = [own[0]?.monthly, own.at(-1)?.monthly];
  if (low === undefined || high === undefined) return "not comparable";
  const text = (amount: number) => (amount === 0 ? "free" : money(amount, currency));
  const pers = new Set(own.filter(({ monthly }) => monthly > 0).map(({ per }) => per));
  const [per] = pers;
  return `${low === high ? text(low) : `${text(low)} – ${text(high)}`}${per && pers.size === 1 ? ` / ${per}` : ""}`;
}
