/** Squares of so many pixels are compared: one pixel drawn otherwise is little of one, a digit much of several. */
const CELL = 4;
/** Of 255: what a square may differ by, on average and in each colour. One black pixel differs by less, grey print of ten pixels by more. */
const TOLERANCE = 6;
/** Larger ones are not what a model is shown. */
const MAX_PIXELS = 4_000_000;

/**
 * Whether two pictures show a reader the same. They may differ by how a letter's edge is drawn, and not by a digit. Sums of the whole picture
 * would not do: a price is a thousandth of it.
 */
export async function looksAlike(one: Uint8Array, other: Uint8Array): Promise<boolean> {
  if (Buffer.compare(one, other) === 0) return true;
  const [a, b] = await Promise.all([pixelsOf(one), pixelsOf(other)]);
  if (!a || !b || a.width !== b.width || a.height !== b.height) return false;
  const across = Math.ceil(a.width / CELL);
  const differences = new Float64Array(across * Math.ceil(a.height / CELL) * CHANNELS);
  for (let y = 0, at = 0; y < a.height; y++)
    for (let x = 0; x < a.width; x++) {
      const cell = (Math.floor(y / CELL) * across + Math.floor(x / CELL)) * CHANNELS;
      for (let channel = 0; channel < CHANNELS; channel++, at++)
        differences[cell + channel] =
          (differences[cell + channel] ?? 0) + Math.abs((a.data[at] ?? 0) - (b.data[at] ?? 0));
    }
  return differences.every((difference) => difference <= TOLERANCE * CELL * CELL);
}

const CHANNELS = 3;

/** Undefined for what is no picture. */
async function pixelsOf(picture: Uint8Array) {
  // Loaded here: most pictures are the same bytes, and it would slow each start.
  const { default: sharp } = await import("sharp");
  const decoded = sharp(picture, { limitInputPixels: MAX_PIXELS }).toColourspace("srgb").removeAlpha().raw();
  return decoded.toBuffer({ resolveWithObject: true }).then(
    ({ data, info: { width, height, channels } }) => (channels === CHANNELS ? { data, width, height } : undefined),
    () => undefined,
  );
}
