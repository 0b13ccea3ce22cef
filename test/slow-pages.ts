import { NO_USAGE } from "../engine/result.ts";
import type { PageWork } from "../functions/analyze/page-process.ts";
import type { ModelAnalysis } from "../functions/analyze/question.ts";

/** Each of 400 prices looks for its period among 8,500 headings, six times: half a minute's work within the limits on a page's size. */
export const SLOW_PAGE = `${"<div>".repeat(7)}${`<h2>${"word ".repeat(11)}</h2>`.repeat(8_500)}${"<div><h3>A b</h3><b>$5</b></div>".repeat(400)}`;

/** Each character is a node, and takes about a hundred bytes and more of the heap. */
export const LARGE_PAGE = "<".repeat(1_900_000);

/** Each feature of slowAnswer takes about ten milliseconds to look up in it. */
export const SLOW_TEXT = `${"a".repeat(190_000)} xy`;
export function slowAnswer(features: number): ModelAnalysis {
  const offer = { name: "xy", amount: null, currency: null, period: null, per: null, from: false, quote: "xy" };
  return {
    positioning: null,
    audience: [],
    offers: [{ ...offer, features: Array<string>(features).fill("a".repeat(195)) }],
    callsToAction: [],
    proof: [],
    layout: [],
  };
}

/** What merge is asked for, to be busy for many minutes. */
export const ENDLESS: Parameters<PageWork["merge"]> = [
  {
    ...{ site: "http://tidy.test/", name: "Tidy", analyst: { kind: "extractive" }, positioning: null, audience: [] },
    ...{ offers: [], callsToAction: [], proof: [], technology: [], caveats: [], usage: NO_USAGE },
    design: { palette: [], layout: [], screenshot: "u/s.png" },
  },
  slowAnswer(40_000),
  {
    text: SLOW_TEXT,
    html: "",
    source: { screenshot: "u/s.png", url: "http://tidy.test/", at: "2026-11-20T10:00:00.000Z" },
    model: "m",
    usage: NO_USAGE,
  },
];
