import { type Mutation, mutationsOf } from "./mutation.ts";

const CHANGES = ["test/unit/report-changes.test.ts"];
const SITES = ["test/unit/report-sites.test.ts"];
const EXPORTS = ["test/unit/report-exports.test.ts"];
const REPORT = ["test/unit/report.test.ts"];
const WHOLE = ["test/integration/report.test.ts"];

/** What a report says, and what it must not say. */
export const REPORT_MUTATIONS: readonly Mutation[] = [
  ...mutationsOf("functions/report/changes.ts", CHANGES, [
    {
      why: "what a page that was cut no longer says is not removed",
      find: "const seen = page?.now !== undefined && isWhole(page.now) && sameAnalyst(page);",
      replace: "const seen = page?.now !== undefined && sameAnalyst(page);",
    },
    {
      why: "what another analyst does not find is not removed",
      find: "const seen = page?.now !== undefined && isWhole(page.now) && sameAnalyst(page);",
      replace: "const seen = page?.now !== undefined && isWhole(page.now);",
    },
    {
      why: "what a page says that is read for the first time is not new",
      find: "const seen = page?.before !== undefined && isWhole(page.before) && sameAnalyst(page);",
      replace: "const seen = isWhole(page?.now);",
    },
    {
      why: "what a page says that was cut then is not new",
      find: "const seen = page?.before !== undefined && isWhole(page.before) && sameAnalyst(page);",
      replace: "const seen = page?.before !== undefined && sameAnalyst(page);",
    },
    {
      why: "a price of another page is no change",
      find: "whereSaid(a)?.now !== undefined &&",
      replace: "",
    },
    {
      why: "a site that was named by nobody then is no news",
      find: "if (!before.isNamed) return whole",
      replace: "if (false) return whole",
    },
    {
      why: "a report lists a bounded number of changes",
      find: "list: all.slice(0, MAX_LISTED),",
      replace: "list: all,",
    },
  ]),
  ...mutationsOf("functions/report/noise.ts", CHANGES, [
    { why: "a price is no counter", find: "currency || unit ? number : scale", replace: "scale" },
    { why: "a small number is no counter", find: ">= COUNTER", replace: ">= 0" },
  ]),
  ...mutationsOf("functions/report/history.ts", CHANGES, [
    { why: "the history of a price is bounded", find: ".slice(-MAX_POINTS)", replace: "" },
    {
      why: "a price of another page does not enter the history",
      find: 'if (claim ? claim.status === "notComparable" : !gone) return series;',
      replace: "if (!claim && !gone) return series;",
    },
    {
      why: "an earlier price does not follow a later one",
      find: "if (last && last.at >= point.at) return [...points];",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/report/narrator.ts", SITES, [
    {
      why: "an answer cites claims",
      find: "citedIn(said).length > 0",
      replace: "said.length > 0",
    },
    {
      why: "an answer cites claims that there are",
      find: "citedIn(said).every((id) => known.has(id))",
      replace: "citedIn(said).every((id) => known.size > 0 || id)",
    },
    {
      why: "two sites are no market",
      find: "isEnough || !MARKET.test(said)",
      replace: "isEnough || MARKET",
    },
    {
      why: "a claim of a model rests on claims that there are",
      find: 'known.has(id), "not the number of a claim in the data"',
      replace: 'known.size > 0 || id !== "", "not the number of a claim in the data"',
    },
  ]),
  ...mutationsOf("functions/report/load.ts", WHOLE, [
    {
      why: "two addresses of one page count once",
      find: "addressKey(a.finalUrl) === addressKey(b.finalUrl) ||",
      replace: "",
    },
    {
      why: "two pages that say that they are one count once",
      find: "if (site.pages.some((other) => isSamePage(other.capture, capture))) continue;",
      replace:
        "if (site.pages.some((other) => addressKey(other.capture.finalUrl) === addressKey(capture.finalUrl))) continue;",
    },
    {
      why: "an earlier report that cannot be read costs no report",
      find: "if (error instanceof TerminalError) return none(error.message);",
      replace: "",
    },
  ]),
  ...mutationsOf("functions/report/markdown.ts", REPORT, [
    { why: "a text defines no link", find: "(?!:)/g", replace: "/g" },
    { why: "a text begins no heading, list or quotation", find: '.replace(/^[#>+=-]/, "\\\\$&")', replace: "" },
  ]),
  ...mutationsOf("functions/report/export/csv.ts", EXPORTS, [
    { why: "a text is no formula", find: "`'${text}`", replace: "text" },
    { why: "a formula behind white space is one", find: "/^\\s*[=+\\-@|%]|", replace: "/^[=+\\-@|%]|" },
    { why: "a quotation mark ends no field", find: "safe.replaceAll('\"', '\"\"')", replace: "safe" },
  ]),
  ...mutationsOf("functions/report/export/xlsx.ts", EXPORTS, [
    { why: "a cell has no more than Excel takes", find: ".slice(0, MAX_CELL)", replace: "" },
    {
      why: "a page's currency is no format",
      find: "/^[A-Z]{3}$/.test(currency)",
      replace: "currency.length > 3 || /^[A-Z]/.test(currency)",
      equivalent: "Intl refuses what is no code of letters; the check keeps it from being asked",
    },
  ]),
  ...mutationsOf("functions/report/export/xml-text.ts", EXPORTS, [
    { why: "an Office file is well-formed", find: '.replace(FORBIDDEN, "")', replace: "" },
  ]),
  ...mutationsOf("functions/report/export/dated-zip.ts", EXPORTS, [
    { why: "a repeated node leaves the same archive", find: ", mtime: localTime(date)", replace: "" },
    { why: "a repeated node leaves the same properties", find: "`$1${date.slice(0, 19)}Z<`", replace: '"$&"' },
  ]),
  ...mutationsOf("functions/report/export/pptx.ts", EXPORTS, [
    { why: "a repeated node leaves the same names of charts", find: "report.date, firstChart", replace: "report.date" },
  ]),
  ...mutationsOf("functions/report/digest.ts", EXPORTS, [
    { why: "a digest has ten changes at most", find: ".slice(0, MAX_CHANGES)", replace: "" },
    { why: "a sentence of a digest is bounded", find: "shorten(sentence, MAX_SENTENCE)", replace: "sentence" },
  ]),
  ...mutationsOf("functions/report/pictures.ts", WHOLE, [
    {
      why: "a box outside of its picture is no picture",
      find: "if (area.width <= MARGIN || area.height <= MARGIN) return undefined;",
      replace: "",
      equivalent: "sharp refuses an area outside of the picture, which is caught",
    },
  ]),
  ...mutationsOf(
    "functions/reconcile/workload/plan.ts",
    ["test/unit/reconcile/announce.test.ts"],
    [
      {
        why: "the end of a run is told once",
        find: "if (!ends || !end) return [];",
        replace: "if (!end) return [];",
      },
    ],
  ),
];
