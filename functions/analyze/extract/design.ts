import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import { visibleDocument } from "./visible.ts";

const SAMPLE = { width: 96, height: 60 };
const COLOURS = 6;
/** Levels of a colour channel: similar shades count as one. */
const LEVELS = 8;

/** Palette from the screenshot's pixels, layout from the markup. */
export async function readDesign(
  screenshotPng: Uint8Array,
  html: string,
  screenshot: string,
): Promise<Analysis["design"]> {
  return { palette: await paletteOf(screenshotPng), layout: layoutOf(html), screenshot };
}

async function paletteOf(png: Uint8Array): Promise<Analysis["design"]["palette"]> {
  const { default: sharp } = await import("sharp");
  const { data } = await sharp(png)
    .resize(SAMPLE.width, SAMPLE.height, { fit: "fill", kernel: "nearest" })
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const bins = new Map<number, { count: number; sum: [number, number, number] }>();
  const step = 256 / LEVELS;
  for (let i = 0; i + 2 < data.length; i += 3) {
    const [r, g, b] = [data[i] ?? 0, data[i + 1] ?? 0, data[i + 2] ?? 0];
    const key = (Math.floor(r / step) * LEVELS + Math.floor(g / step)) * LEVELS + Math.floor(b / step);
    const bin = bins.get(key) ?? { count: 0, sum: [0, 0, 0] };
    bin.count++;
    bin.sum = [bin.sum[0] + r, bin.sum[1] + g, bin.sum[2] + b];
    bins.set(key, bin);
  }
  const pixels = SAMPLE.width * SAMPLE.height;
  return [...bins.values()]
    .toSorted((a, b) => b.count - a.count)
    .slice(0, COLOURS)
    .map(({ count, sum }) => ({
      hex: `#${sum
        .map((channel) =>
          Math.round(channel / count)
            .toString(16)
            .padStart(2, "0"),
        )
        .join("")}`,
      share: Math.round((count / pixels) * 1000) / 1000,
    }));
}

const PARTS: readonly (readonly [name: string, selector: string])[] = [
  ["navigation bar", "nav, header"],
  ["hero", "[class*='hero' i], [class*='masthead' i], [class*='jumbotron' i], header h1"],
  ["pricing table", "[class*='pricing' i], [id*='pricing' i], [class*='plan' i]"],
  ["cards", "[class*='card' i]"],
  ["testimonials", "blockquote, [class*='testimonial' i]"],
  ["customer logos", "[class*='logos' i], [class*='clients' i]"],
  ["FAQ", "details, [class*='faq' i], [id*='faq' i]"],
  ["table", "table"],
  ["form", "form"],
  ["video", "video, iframe[src*='youtube'], iframe[src*='vimeo']"],
  ["footer", "footer"],
];

function layoutOf(html: string): string[] {
  const document = visibleDocument(html);
  const parts = PARTS.filter(([, selector]) => document.querySelector(selector)).map(([name]) => name);
  const columns = Math.max(
    0,
    ...[...document.querySelectorAll("[class*='grid' i], [class*='row' i], [class*='columns' i]")].map(
      (row) => row.children.length,
    ),
  );
  return columns >= 2 && columns <= 6 ? [...parts, `up to ${columns} columns`] : parts;
}
