import type PptxGenJS from "pptxgenjs";
import { withoutCitations } from "../claims.ts";
import { isRead } from "../coverage.ts";
import { matrixOf } from "../matrix.ts";
import type { Insight, Report } from "../report.ts";
import {
  analysts,
  authorOf,
  changesSentence,
  confidenceSentence,
  extractiveNote,
  figuresOf,
  groupChanges,
  reviewSentence,
  STATE_NAMES,
} from "../wording.ts";
import { datedZip } from "./dated-zip.ts";
import { xmlText } from "./xml-text.ts";

type Deck = PptxGenJS.default;
type Slide = PptxGenJS.default.Slide;
type Row = PptxGenJS.default.TableRow;

const INK = "1B1F24";
const SOFT = "5B6470";
const ACCENT = "0B5F59";
const WASH = "F4F2EC";
const FONT = "Arial";
/** Inches, of a slide of 13.33 by 7.5. */
const LEFT = 0.6;
const WIDTH = 12.1;

/** Rows of a table on one slide, and slides of one table. */
const ROWS = 11;
const MAX_SLIDES = 5;
/** Bars that can be read. */
const MAX_BARS = 25;
const MAX_BULLETS = 8;

/** report.pptx: what is presented of the report. The XLSX has all of it. */
export async function reportPptx(report: Report): Promise<Uint8Array> {
  // CommonJS by its types, a module by its code.
  const { default: Presentation } = (await import("pptxgenjs")) as unknown as { default: typeof PptxGenJS.default };
  const deck = new Presentation();
  deck.layout = "LAYOUT_WIDE";
  deck.title = xmlText(clip(report.objective, 200));
  deck.subject = "Market analysis";
  deck.author = deck.company = "agentic";
  titleSlide(deck, report);
  figuresSlide(deck, report);
  changesSlide(deck, report);
  priceSlide(deck, report);
  matrixSlides(deck, report);
  recommendationSlide(deck, report);
  coverageSlides(deck, report);
  return datedZip((await deck.write({ outputType: "uint8array" })) as Uint8Array, report.date, firstChart);
}

/** pptxgenjs numbers charts through all decks of a process; this one has one chart. */
const firstChart = (name: string): string =>
  name.replace(/\b(chart|Microsoft_Excel_Worksheet)\d+(?=\.(xml|xlsx)\b)/g, "$11");

function titleSlide(deck: Deck, report: Report): void {
  const slide = deck.addSlide();
  slide.background = { color: WASH };
  text(slide, clip(report.objective, 220), { y: 2, h: 2, fontSize: 34, bold: true, valign: "bottom" });
  const { namespace, name } = report.workload;
  text(slide, `${namespace}/${name}, ${report.date.slice(0, 10)}. ${analysts(report)} ${authorOf(report)}`, {
    ...{ y: 4.2, h: 0.6, fontSize: 16, color: SOFT },
  });
  const notes = [extractiveNote(report), report.review.automatic ? reviewSentence(report) : undefined];
  text(slide, notes.filter((note) => note !== undefined).join(" "), { y: 5, h: 1.2, fontSize: 13, color: SOFT });
}

function figuresSlide(deck: Deck, report: Report): void {
  const slide = headed(deck, "The answer");
  text(slide, clip(withoutCitations(report.narrative.answer), 700), { y: 1.2, h: 1.9, fontSize: 17 });
  const width = WIDTH / 4;
  for (const [at, { label, value, note }] of figuresOf(report).slice(0, 8).entries()) {
    const place = { x: LEFT + (at % 4) * width, w: width - 0.15, y: 3.4 + Math.floor(at / 4) * 1.8 };
    text(slide, label, { ...place, h: 0.4, fontSize: 12, color: SOFT });
    text(slide, value, { ...place, y: place.y + 0.35, h: 0.6, fontSize: 26, bold: true });
    text(slide, note, { ...place, y: place.y + 0.95, h: 0.6, fontSize: 11, color: SOFT });
  }
}

function changesSlide(deck: Deck, { changes }: Report): void {
  if (!changes) return;
  const slide = headed(deck, `What changed since ${changes.since.slice(0, 10)}`);
  text(slide, changesSentence(changes), { y: 1.2, h: 0.6, fontSize: 16 });
  const { material } = groupChanges(changes);
  const shown = material.slice(0, MAX_BULLETS).map(({ sentence }) => sentence);
  bullets(slide, [...shown, ...more(material.length - shown.length)], { y: 1.9, h: 5 });
}

const more = (left: number): string[] => (left > 0 ? [`${left} more are in the report.`] : []);

/** A chart that PowerPoint draws, with its figures in it. */
function priceSlide(deck: Deck, { competitors, currency }: Report): void {
  const priced = competitors
    .flatMap(({ label, entryMonthly, entryPer }) =>
      entryMonthly === null ? [] : [{ label: entryPer ? `${label} (per ${entryPer})` : label, entryMonthly }],
    )
    .sort((a, b) => a.entryMonthly - b.entryMonthly);
  const shown = priced.slice(0, MAX_BARS);
  if (shown.length === 0) return;
  const slide = headed(deck, "Entry prices");
  const left = priced.length - shown.length;
  const note = `Lowest paid price a month, ${currency}.${left > 0 ? ` ${left} dearer ones are in the report.` : ""}`;
  text(slide, note, { y: 1.1, h: 0.4, fontSize: 13, color: SOFT });
  // The first bar is drawn at the bottom.
  const bars = shown.toReversed();
  const name = xmlText(`Entry price a month, ${currency}`);
  slide.addChart(
    "bar",
    [
      {
        name,
        labels: bars.map(({ label }) => xmlText(clip(label, 40))),
        values: bars.map(({ entryMonthly }) => entryMonthly),
      },
    ],
    {
      ...{ x: LEFT, y: 1.5, w: WIDTH, h: 5.7 },
      barDir: "bar",
      chartColors: [ACCENT],
      showValue: true,
      dataLabelFormatCode: "#,##0.00",
      valAxisHidden: true,
      catAxisLabelFontFace: FONT,
      catAxisLabelFontSize: 12,
      altText: `${name}: ${shown.map((one) => `${xmlText(one.label)} ${one.entryMonthly}`).join("; ")}`,
    },
  );
}

function matrixSlides(deck: Deck, report: Report): void {
  const yes = (is: boolean) => (is ? "✓" : "–");
  tableSlides(
    deck,
    "Side by side",
    ["Site", "Offers", "Entry a month", "Free", "Trial", "Guarantee", "Primary call", "Themes"],
    [2.6, 0.8, 1.5, 0.7, 0.9, 1.1, 2, 2.5],
    matrixOf(report).map((row) => [
      row.label,
      String(row.offers),
      row.entry ?? "–",
      yes(row.free),
      row.trial ?? "–",
      yes(row.guarantee),
      row.primaryCall ?? "–",
      row.themes.join(", ") || "–",
    ]),
  );
}

function recommendationSlide(deck: Deck, report: Report): void {
  const { narrative, gaps } = report;
  const slide = headed(deck, "Recommendation");
  text(slide, clip(withoutCitations(narrative.recommendation), 800), { y: 1.2, h: 2, fontSize: 17 });
  text(slide, confidenceSentence(narrative.confidence, report), { y: 3.2, h: 0.4, fontSize: 13, color: SOFT });
  const basis = ({ title, confidence, claims }: Insight) =>
    `${title} (confidence: ${confidence}${claims.length ? `; claims ${claims.slice(0, 6).join(", ")}` : ""})`;
  const shown = narrative.claims.length ? narrative.claims : gaps;
  bullets(slide, shown.slice(0, MAX_BULLETS).map(basis), { y: 3.7, h: 3.3 });
}

function coverageSlides(deck: Deck, { coverage }: Report): void {
  const missing = coverage.filter((page) => !isRead(page));
  const read = coverage.length - missing.length;
  const title = `Coverage: ${read} of ${coverage.length} pages read`;
  if (missing.length === 0) {
    text(headed(deck, title), "Every page was read.", { y: 1.2, h: 0.6, fontSize: 17 });
    return;
  }
  tableSlides(
    deck,
    title,
    ["Site", "Page", "State", "Why"],
    [3, 3, 1.8, 4.3],
    missing.map((one) => [
      one.site,
      one.url,
      STATE_NAMES[one.state],
      [one.reason, one.message].filter(Boolean).join(": "),
    ]),
  );
}

function headed(deck: Deck, title: string): Slide {
  const slide = deck.addSlide();
  text(slide, title, { y: 0.4, h: 0.6, fontSize: 26, bold: true });
  return slide;
}

function text(slide: Slide, content: string, options: PptxGenJS.default.TextPropsOptions): void {
  slide.addText(xmlText(content), {
    ...{ x: LEFT, w: WIDTH, color: INK, fontFace: FONT, valign: "top", margin: 0, fit: "shrink" },
    ...options,
  });
}

function bullets(slide: Slide, lines: readonly string[], place: { readonly y: number; readonly h: number }): void {
  if (lines.length === 0) return;
  slide.addText(
    lines.map((line) => ({ text: xmlText(clip(line, 220)), options: { bullet: true, breakLine: true } })),
    { ...{ x: LEFT, w: WIDTH, color: INK, fontFace: FONT, fontSize: 16, valign: "top", margin: 0 }, ...place },
  );
}

function tableSlides(
  deck: Deck,
  title: string,
  head: readonly string[],
  widths: readonly number[],
  rows: readonly (readonly string[])[],
): void {
  const slides = Math.min(MAX_SLIDES, Math.ceil(rows.length / ROWS));
  const left = rows.length - slides * ROWS;
  for (let at = 0; at < slides; at++) {
    const slide = headed(deck, slides > 1 ? `${title} (${at + 1} of ${slides})` : title);
    const cells: Row[] = [
      head.map((cell) => ({ text: cell, options: { bold: true, fill: { color: WASH } } })),
      ...rows.slice(at * ROWS, (at + 1) * ROWS).map((row) => row.map((cell) => ({ text: xmlText(clip(cell, 90)) }))),
    ];
    slide.addTable(cells, {
      ...{ x: LEFT, y: 1.2, w: WIDTH, colW: [...widths], fontFace: FONT, fontSize: 11, color: INK },
      border: { type: "solid", pt: 0.5, color: "DCD8CD" },
    });
    if (at === slides - 1 && left > 0)
      text(slide, `${left} more rows are in the report.`, { y: 7, h: 0.3, fontSize: 11, color: SOFT });
  }
}

const clip = (content: string, length: number): string =>
  content.length <= length ? content : `${content.slice(0, length - 1)}…`;
