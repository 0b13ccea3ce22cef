import { scaleSqrt, scaleUtc } from "d3-scale";
import { html } from "hono/html";
import { describePrice, money } from "../../../pipelines/market-analysis/price.ts";
import { hasMoved } from "../history.ts";
import type { Html } from "../page/html.ts";
import { monthly } from "../price.ts";
import type { Dossier, PriceSeries } from "../report.ts";
import { priceTicks } from "./price-ticks.ts";
import { clip } from "./text.ts";

const WIDTH = 760;
const HEIGHT = 340;
const LEFT = 54;
/** Room for a line's name, at its end. */
const RIGHT = 210;
const TOP = 30;
const BOTTOM = 40;
const LINE = 15;
/** Lines that can be told apart without a colour. */
const DASHES = ["", "8 4", "2 3", "12 3 2 3", "5 2", "1 5", "14 6", "6 3 1 3 1 3"];

interface Line {
  readonly name: string;
  readonly dash: string;
  /** Null: no price, until the next point. */
  readonly points: readonly { readonly at: number; readonly amount: number | null }[];
}

/** Prices that were ever another, the last that moved first: as steps, each line with a pattern and its name. Undefined where none moved. */
export function historyChart({ history, currency }: Dossier): Html | undefined {
  const lines = history
    .filter(hasMoved)
    .sort((a, b) => (lastMove(a) < lastMove(b) ? 1 : -1))
    .flatMap((series) => lineOf(series, currency))
    .slice(0, DASHES.length)
    .map((line, at) => ({ ...line, dash: DASHES[at] ?? "" }));
  const points = lines.flatMap((line) => line.points);
  const amounts = points.flatMap(({ amount }) => amount ?? []);
  if (lines.length === 0) return undefined;
  const times = points.map(({ at }) => at);
  const x = scaleUtc()
    .domain([Math.min(...times), Math.max(...times)])
    .range([LEFT, WIDTH - RIGHT]);
  // Square roots: small prices keep their distance beside one that is fifty times as large.
  const y = scaleSqrt()
    .domain([0, Math.max(1, ...amounts)])
    .nice()
    .range([HEIGHT - BOTTOM, TOP]);
  const ticks = priceTicks(Object.assign((amount: number) => -y(amount), { domain: () => y.domain() }));
  const labels = spread(lines.map(({ points: own }) => y(lastAmount(own))));
  const days = [...new Set(times)].sort((a, b) => a - b);
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="history-title history-desc">
<title id="history-title">Prices a month over time</title>
<desc id="history-desc">${history
    .filter(hasMoved)
    .map(
      ({ label, offer, points: own }) =>
        `${label}, ${offer}: ${own.map(({ at, price }) => `${at.slice(0, 10)} ${price ? describePrice(price) : "none"}`).join(", ")}`,
    )
    .join("; ")}</desc>
<text class="axis" x="${LEFT}" y="14">${currency} a month, square-root scale</text>
${ticks.map((tick) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(tick)}" y2="${y(tick)}"/><text class="axis" x="${LEFT - 8}" y="${y(tick) + 4}" text-anchor="end">${money(tick, currency)}</text>`)}
${dayTicks(days, x).map((day) => html`<text class="axis" x="${round(x(day))}" y="${HEIGHT - BOTTOM + 20}" text-anchor="middle">${new Date(day).toISOString().slice(0, 10)}</text>`)}
${lines.map(({ name, dash, points: own }, at) => {
  const end = own.at(-1);
  const label = labels[at] ?? 0;
  return html`<path class="step" d="${stepsOf(own, x, y)}"${dash ? html` stroke-dasharray="${dash}"` : ""}/>
<line class="leader" x1="${round(x(end?.at ?? 0))}" y1="${round(y(lastAmount(own)))}" x2="${WIDTH - RIGHT + 12}" y2="${round(label)}"/>
<line class="step" x1="${WIDTH - RIGHT + 14}" x2="${WIDTH - RIGHT + 44}" y1="${round(label)}" y2="${round(label)}"${dash ? html` stroke-dasharray="${dash}"` : ""}/>
<text class="label" x="${WIDTH - RIGHT + 50}" y="${round(label + 4)}">${clip(name, 24)}</text>`;
})}
</svg>`;
}

const round = (n: number): number => Math.round(n * 10) / 10;

function lineOf({ label, offer, points }: PriceSeries, currency: string): Omit<Line, "dash">[] {
  const amounts = points.map(({ at, price }) => ({
    at: Date.parse(at),
    amount: price ? monthly(price, currency) : null,
  }));
  return amounts.some(({ amount }) => amount !== null) ? [{ name: `${label}, ${offer}`, points: amounts }] : [];
}

function lastMove({ points }: PriceSeries): string {
  const price = JSON.stringify(points.at(-1)?.price);
  return points.findLast((point) => JSON.stringify(point.price) !== price)?.at ?? "";
}

const lastAmount = (points: Line["points"]): number => points.findLast(({ amount }) => amount !== null)?.amount ?? 0;

/** A price stands until the next is seen. */
function stepsOf(points: Line["points"], x: (at: number) => number, y: (amount: number) => number): string {
  let path = "";
  let isDrawing = false;
  for (const { at, amount } of points) {
    const across = round(x(at));
    if (amount === null) {
      if (isDrawing) path += `H${across}`;
      isDrawing = false;
      continue;
    }
    path += isDrawing ? `H${across}V${round(y(amount))}` : `M${across} ${round(y(amount))}`;
    isDrawing = true;
  }
  return path;
}

/** The first and the last day, and those between that have room. */
function dayTicks(days: readonly number[], x: (at: number) => number): number[] {
  const room = 76;
  const last = days.at(-1) ?? 0;
  const kept = days.slice(0, 1);
  for (const day of days) if (x(day) - x(kept.at(-1) ?? day) >= room && x(last) - x(day) >= room) kept.push(day);
  if (x(last) - x(kept[0] ?? last) >= room) kept.push(last);
  return kept;
}

/** Labels beside the ends of their lines, none over another, in the order of the lines' ends. */
function spread(ends: readonly number[]): number[] {
  const order = ends.map((_, at) => at).sort((a, b) => (ends[a] ?? 0) - (ends[b] ?? 0));
  const placed = [...ends];
  let free = TOP;
  for (const at of order) {
    placed[at] = Math.max(free, ends[at] ?? 0);
    free = (placed[at] ?? 0) + LINE;
  }
  // Those that would stand below the chart push the others up.
  let most = HEIGHT - BOTTOM;
  for (const at of order.reverse()) {
    placed[at] = Math.min(most, placed[at] ?? 0);
    most = (placed[at] ?? 0) - LINE;
  }
  return placed;
}
