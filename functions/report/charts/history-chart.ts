import { type ScaleTime, scaleSqrt, scaleUtc } from "d3-scale";
import { html } from "hono/html";
import { describePrice, money } from "../../../pipelines/market-analysis/price.ts";
import { hasMoved } from "../history.ts";
import type { Html } from "../page/html.ts";
import { monthly } from "../price.ts";
import type { Dossier, PriceSeries } from "../report.ts";
import { priceTicks } from "./price-ticks.ts";
import { clip } from "./text.ts";

const WIDTH = 460;
const PLOT = 250;
const LEFT = 48;
const RIGHT = 14;
const TOP = 30;
const BOTTOM = 34;
/** Of a line's name, below the plot: beside it there is no room on a phone. */
const LINE = 19;
/** How long the last price is drawn on, so that it is seen. */
const TAIL = 0.12;
/** Lines that can be told apart without a colour. */
const DASHES = ["", "8 4", "2 3", "12 3 2 3", "5 2", "1 5", "14 6", "6 3 1 3 1 3"];

interface Line {
  readonly name: string;
  readonly dash: string;
  /** Null: no price, until the next point. */
  readonly points: readonly { readonly at: number; readonly amount: number | null }[];
  /** The first price and the last, in words. */
  readonly from: string;
  readonly to: string;
}

/** Prices that were ever another, the last that moved first: as steps, each line with a pattern, named below. Undefined where none moved. */
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
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const x = scaleUtc()
    .domain([first, last + Math.max(1, (last - first) * TAIL)])
    .range([LEFT, WIDTH - RIGHT]);
  // Square roots: small prices keep their distance beside one that is fifty times as large.
  const y = scaleSqrt()
    .domain([0, Math.max(1, ...amounts)])
    .nice()
    .range([PLOT - BOTTOM, TOP]);
  const ticks = priceTicks(Object.assign((amount: number) => -y(amount), { domain: () => y.domain() }));
  const days = [...new Set(times)].sort((a, b) => a - b);
  const isOneDay = dayOf(first) === dayOf(last);
  return html`<svg class="chart narrow" viewBox="0 0 ${WIDTH} ${PLOT + lines.length * LINE}" role="img" aria-labelledby="history-title history-desc">
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
${dayTicks(days, x).map((day) => html`<text class="axis" x="${round(x(day))}" y="${PLOT - BOTTOM + 18}" text-anchor="middle">${isOneDay ? `${new Date(day).toISOString().slice(11, 16)} UTC` : dayOf(day)}</text>`)}
${lines.map(({ name, dash, points: own, from, to }, at) => {
  const pattern = dash ? html` stroke-dasharray="${dash}"` : "";
  const row = PLOT + at * LINE + 8;
  return html`<path class="step" d="${stepsOf(own, x, y)}"${pattern}/>
${own.map(({ at: time, amount }, index) => (amount === null || amount === own[index - 1]?.amount ? "" : html`<circle class="dot" cx="${round(x(time))}" cy="${round(y(amount))}" r="3.5"/>`))}
<line class="step" x1="${LEFT}" x2="${LEFT + 30}" y1="${row}" y2="${row}"${pattern}/>
<text class="label" x="${LEFT + 38}" y="${row + 4}">${clip(name, 32)}: ${from} → ${to}</text>`;
})}
</svg>`;
}

const dayOf = (time: number): string => new Date(time).toISOString().slice(0, 10);
const round = (n: number): number => Math.round(n * 10) / 10;

function lineOf({ label, offer, points }: PriceSeries, currency: string): Omit<Line, "dash">[] {
  const amounts = points.map(({ at, price }) => ({
    at: Date.parse(at),
    amount: price ? monthly(price, currency) : null,
  }));
  const [from, to] = [amounts[0], amounts.at(-1)].map((one) =>
    one?.amount == null ? "none" : money(one.amount, currency),
  );
  return amounts.some(({ amount }) => amount !== null)
    ? [{ name: `${label}, ${offer}`, points: amounts, from: from ?? "none", to: to ?? "none" }]
    : [];
}

function lastMove({ points }: PriceSeries): string {
  const price = JSON.stringify(points.at(-1)?.price);
  return points.findLast((point) => JSON.stringify(point.price) !== price)?.at ?? "";
}

/** A price stands until the next is seen. */
function stepsOf(points: Line["points"], x: ScaleTime<number, number>, y: (amount: number) => number): string {
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
  return isDrawing ? `${path}H${round(x.range()[1] ?? 0)}` : path;
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
