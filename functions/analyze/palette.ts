import type { Analysis } from "../../pipelines/market-analysis/analysis.ts";

const SAMPLE = { width: 96, height: 60 };
const COLOURS = 6;
/** Levels of a colour channel: similar shades count as one. */
const LEVELS = 8;

/** The screenshot's main colours. It is decoded off the main thread, and of the size that scrape drew it in. */
export async function paletteOf(screenshotPng: Uint8Array): Promise<Analysis["design"]["palette"]> {
  const { default: sharp } = await import("sharp");
  const { data } = await sharp(screenshotPng)
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
