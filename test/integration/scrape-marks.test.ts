import { expect, test } from "vitest";
import { textOf, visibleDocument } from "../../functions/analyze/extract/visible.ts";
import { scrapingForFile } from "./scraping.ts";

// What only the rendered page tells, written down as marks: docs/adr/0045.

const scraping = scrapingForFile(["shop.test"]);
const capture = (path: string) => scraping.capture(`http://shop.test${path}`);

/** The marks of the element that says `text`. */
function marksOf(html: string, text: string): { box?: string; style?: string } {
  const tag = new RegExp(`<[a-z0-9]+([^<>]*)>${text}`).exec(html)?.[1] ?? "";
  const [, box] = /data-agentic-box="([^"]*)"/.exec(tag) ?? [];
  const [, style] = /data-agentic-style="([^"]*)"/.exec(tag) ?? [];
  return { ...(box === undefined ? {} : { box }), ...(style === undefined ? {} : { style }) };
}

test("boxes are of the whole page, in roots and frames, too", async () => {
  const { html } = await capture("/marks");
  expect(marksOf(html, "Plans")).toEqual({ box: "100 50 200 30" });
  expect(marksOf(html, "deep")).toMatchObject({ box: expect.stringMatching(/^40 700 \d+ \d+ 16$/) });
  // Within the border and padding of the frame.
  expect(marksOf(html, "inside")).toEqual({ box: "235 345 100 40" });
  expect(marksOf(html, "below")).toEqual({});
});

test("what style sheets hide is marked, and nothing else", async () => {
  const { html } = await capture("/marks");
  for (const text of ["not shown", "not visible", "for readers", "outside", "menu", "off"])
    expect([text, marksOf(html, text)]).toEqual([text, { style: "hidden" }]);
  expect(html).toMatch(/class="folded" data-agentic-style="hidden"><p>folded/);
  expect(textOf(visibleDocument(html).body)).toBe("Plans fades in in contents words rooted deep inside below");
});

test("a page gives no mark", async () => {
  const { html } = await capture("/marks");
  expect(html).not.toMatch(/data-agentic-states|1 2 3 4/);
});

test("controls that stand out are marked, by whichever means a style sheet has", async () => {
  const { html } = await capture("/controls");
  const styles = [
    "Docs",
    "Blue",
    "Line",
    "Light",
    "Plain",
    "Grey",
    "Ring",
    "Fade",
    "Blue on blue",
    "Clicked",
    "here",
    "Usual",
  ];
  expect(Object.fromEntries(styles.map((text) => [text, marksOf(html, `${text}(?= ?<)`).style]))).toEqual({
    Docs: "pointer",
    Blue: "filled pointer",
    Line: "outlined pointer",
    Light: "tinted pointer",
    Plain: "pointer",
    Grey: "tinted pointer",
    Ring: "outlined pointer",
    Fade: "filled pointer",
    "Blue on blue": "pointer",
    Clicked: "pointer",
    here: undefined,
    Usual: "outlined",
  });
  expect(html).toMatch(/<a href="\/a" data-agentic-style="filled pointer" [^>]*><span class="b modern"/);
  expect(marksOf(html, "Blue<").box).toMatch(/ 18$/);
});

test("a page has so many marks and no more", async () => {
  const { html } = await capture("/marks-many");
  expect(html.match(/data-agentic-box/g)).toHaveLength(5_000);
});
