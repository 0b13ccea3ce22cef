import sharp from "sharp";
import { expect, test } from "vitest";
import { looksAlike } from "../../pipelines/market-analysis/look-alike.ts";

// Pictures as analyze shows them to a model: JPEG, some hundred pixels wide.

type Colour = readonly [number, number, number];
interface Drawn {
  readonly size?: readonly [number, number];
  readonly paper?: Colour;
  readonly ink?: Colour;
  /** "#" is ink; at 40, 40. */
  readonly rows?: readonly string[];
}

const BLACK: Colour = [0, 0, 0];
const WHITE: Colour = [255, 255, 255];

async function drawn({ size: [width, height] = [320, 200], paper = WHITE, ink = BLACK, rows = [] }: Drawn) {
  const pixels = Buffer.alloc(width * height * 3);
  for (let at = 0; at < width * height; at++) pixels.set(paper, at * 3);
  for (const [y, row] of rows.entries())
    for (const [x, sign] of [...row].entries()) if (sign === "#") pixels.set(ink, ((40 + y) * width + 40 + x) * 3);
  return sharp(pixels, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 80 })
    .toBuffer();
}

// "29" and "39", seven pixels high: print that a model can hardly read.
const TWENTY_NINE = [" ### ", "#   #", "    #", "  ## ", " #   ", "#    ", "#####"].map((row) => `${row} ####`);
const THIRTY_NINE = [" ### ", "#   #", "    #", "  ## ", "    #", "#   #", " ### "].map((row) => `${row} ####`);

const alike = async (one: Drawn, other: Drawn) => looksAlike(await drawn(one), await drawn(other));

test.each<[string, Drawn, Drawn]>([
  ["the same", { rows: TWENTY_NINE }, { rows: TWENTY_NINE }],
  ["one pixel of a page, made smaller", {}, { rows: ["#"], ink: [203, 203, 203] }],
  ["a shade that nobody sees", { paper: [240, 240, 240] }, { paper: [244, 244, 244] }],
  [
    "the edge of a shape",
    { rows: ["##########"], ink: [200, 200, 200] },
    { rows: ["##########"], ink: [212, 212, 212] },
  ],
])("%s is no change", async (_what, one, other) => {
  expect(await alike(one, other)).toBe(true);
});

test.each<[string, Drawn, Drawn]>([
  ["a digit", { rows: TWENTY_NINE }, { rows: THIRTY_NINE }],
  ["a digit in grey", { rows: TWENTY_NINE, ink: [150, 150, 150] }, { rows: THIRTY_NINE, ink: [150, 150, 150] }],
  ["a point between digits", { rows: TWENTY_NINE }, { rows: [...TWENTY_NINE, "", "   ##", "   ##"] }],
  ["a colour as bright as the other", { paper: [200, 0, 0] }, { paper: [0, 102, 0] }],
  ["a larger picture", {}, { size: [320, 204] }],
  ["a picture on its side", {}, { size: [200, 320] }],
])("%s is one", async (_what, one, other) => {
  expect(await alike(one, other)).toBe(false);
});

test("what is no picture, or a larger one than a model is shown, is like nothing but itself", async () => {
  const picture = await drawn({});
  const large = await drawn({ size: [2100, 2000] });
  const other = await drawn({ size: [2100, 2000], rows: ["#"], ink: [203, 203, 203] });
  expect(await looksAlike(new Uint8Array([1]), picture)).toBe(false);
  expect(await looksAlike(new Uint8Array([1]), new Uint8Array([1]))).toBe(true);
  expect(await looksAlike(large, other)).toBe(false);
});
