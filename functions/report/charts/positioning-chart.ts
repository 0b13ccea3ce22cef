import { scaleLinear, scaleSqrt } from "d3-scale";
import { html } from "hono/html";
import { money } from "../../../pipelines/market-analysis/price.ts";
import type { Html } from "../page/html.ts";
import { moneyPer } from "../price.ts";
import type { Competitor, Dossier } from "../report.ts";
import { mark, squareNote } from "./mark.ts";
import { placeLabels } from "./place-labels.ts";
import { priceTicks } from "./price-ticks.ts";
import { clip, textWidth } from "./text.ts";

const WIDTH = 760;
const LEFT = 44;
/** The lane at the left for sites without a monthly price. */
const LANE = 150;
const TOP = 34;
const RADIUS = 6;
const FONT = 12;
const LINE = 16;

/** Entry price against what is shown for it; labels where there is room, and in `unplaced` who has none. Undefined for fewer than two sites. */
export function positioningChart({
  competitors,
  currency,
}: Dossier): { picture: Html; unplaced: readonly string[] } | undefined {
  if (competitors.length < 2) return undefined;
  const axis = verticalAxis(competitors);
  const plot = Math.max(380, competitors.length * 17);
  const height = TOP + plot + 44;
  const bottom = TOP + plot;
  const most = Math.max(1, ...competitors.map(({ entryMonthly }) => entryMonthly ?? 0));
  const x = scaleSqrt()
    .domain([0, most])
    .nice()
    .range([LEFT + LANE + 20, WIDTH - 40]);
  const y = scaleLinear()
    .domain([0, Math.max(1, ...competitors.map(axis.value))])
    .nice()
    .range([bottom - 16, TOP + 14]);
  const dots = spread(
    competitors.map((competitor) => ({
      competitor,
      x: competitor.entryMonthly === null ? LEFT + 24 : x(competitor.entryMonthly),
      y: y(axis.value(competitor)),
    })),
    { top: TOP + RADIUS + 2, bottom: bottom - RADIUS - 2 },
  );
  const labels = dots.map(({ competitor }) => clip(competitor.label, 24));
  const places = placeLabels(
    dots.map((dot, at) => ({ x: dot.x, y: dot.y, width: textWidth(labels[at] ?? "", FONT), height: LINE })),
    RADIUS,
    { x: LEFT + 2, y: TOP, width: WIDTH - LEFT - 4, height: plot },
  );
  const ticks = currency === "" || competitors.every((c) => c.entryMonthly === null) ? [] : priceTicks(x);
  const square = squareNote(competitors.map(({ entryPer }) => entryPer));
  const steps = y.ticks(5).filter(Number.isInteger);
  const picture = html`<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="map-title map-desc">
<title id="map-title">Positioning: entry price against ${axis.name}</title>
<desc id="map-desc">${competitors.map((c) => `${c.label}: ${c.entryMonthly === null ? "no monthly price" : moneyPer(c.entryMonthly, currency, c.entryPer)}, ${axis.value(c)} ${axis.name}`).join("; ")}</desc>
<rect class="lane" x="${LEFT}" y="${TOP}" width="${LANE}" height="${plot}"/>
<text class="axis" x="${LEFT + LANE / 2}" y="${bottom + 18}" text-anchor="middle">no paid monthly price</text>
<text class="axis" x="${LEFT}" y="18">↑ ${axis.name}</text><text class="axis" x="${WIDTH}" y="${bottom + 36}" text-anchor="end">entry price a month${square ? `; ${square}` : ""} →</text>
${steps.map((step) => html`<line class="grid" x1="${LEFT}" x2="${WIDTH}" y1="${y(step)}" y2="${y(step)}"/><text class="axis" x="${LEFT - 8}" y="${y(step) + 4}" text-anchor="end">${step}</text>`)}
${ticks.map((tick) => html`<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="${TOP}" y2="${bottom}"/><text class="axis" x="${x(tick)}" y="${bottom + 18}" text-anchor="middle">${money(tick, currency)}</text>`)}
${dots.map((dot, at) => {
  const box = places[at];
  const center = box
    ? { x: Math.max(box.x, Math.min(dot.x, box.x + box.width)), y: box.y + box.height / 2 }
    : undefined;
  // The box is wider than its text: the text keeps to the side of its dot.
  const before = box !== undefined && box.x + box.width <= dot.x;
  const far = box && center && Math.hypot(center.x - dot.x, center.y - dot.y) > 16;
  return html`${far && center ? html`<line class="leader" x1="${dot.x}" y1="${dot.y}" x2="${center.x}" y2="${center.y}"/>` : ""}
${mark(dot.x, dot.y, RADIUS, { per: dot.competitor.entryPer, from: false, title: dot.competitor.label })}
${box ? html`<text class="label" x="${before ? box.x + box.width : box.x}" y="${box.y + 12}" text-anchor="${before ? "end" : "start"}">${labels[at]}</text>` : ""}`;
})}
</svg>`;
  return { picture, unplaced: dots.flatMap(({ competitor }, at) => (places[at] ? [] : [competitor.label])) };
}

/** What tells the sites apart: the breadth of their offers or the proof they show, whichever takes more different values. */
function verticalAxis(competitors: readonly Competitor[]): { name: string; value: (c: Competitor) => number } {
  const breadth = { name: "features named", value: (c: Competitor) => c.breadth };
  const proof = { name: "pieces of proof", value: (c: Competitor) => c.analysis.proof.length };
  const variety = (value: (c: Competitor) => number) => new Set(competitors.map(value)).size;
  return variety(proof.value) > variety(breadth.value) ? proof : breadth;
}

/** Dots on the same spot move until each can be seen: up where the price says where they stand, to the side in the lane without prices. */
function spread<T extends { x: number; y: number; competitor: Competitor }>(
  dots: readonly T[],
  { top, bottom }: { top: number; bottom: number },
): T[] {
  const step = 2 * RADIUS + 3;
  const placed: T[] = [];
  for (const dot of dots) {
    let { x, y } = dot;
    let turned = false;
    while (placed.some((other) => Math.hypot(other.x - x, other.y - y) < step - 1)) {
      if (dot.competitor.entryMonthly === null && x + step < LEFT + LANE - RADIUS) x += step;
      else {
        if (dot.competitor.entryMonthly === null) x = dot.x;
        y += turned ? step : -step;
        if (y < top) [turned, y] = [true, dot.y + step];
        if (y > bottom) [turned, x, y] = [false, x + step, dot.y];
      }
    }
    placed.push({ ...dot, x: Math.round(x * 10) / 10, y: Math.round(y * 10) / 10 });
  }
  return placed;
}
