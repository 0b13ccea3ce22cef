/** Low detail is 512 pixels wide or high to the model: more would only be sent for nothing. */
const EDGE = 768;
const QUALITY = 80;

/** The screenshot as a model is shown it. */
export async function pictureFor(screenshotPng: Uint8Array): Promise<Uint8Array> {
  const { default: sharp } = await import("sharp");
  return sharp(screenshotPng)
    .resize({ width: EDGE, height: EDGE, fit: "inside", withoutEnlargement: true })
    .jpeg({ quality: QUALITY })
    .toBuffer();
}
