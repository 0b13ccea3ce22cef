/** Fifty pictures of this size make about 2 MB of HTML. */
const WIDTH = 720;
const HEIGHT = 450;

/** A screenshot as a small JPEG data URI, the top of the page; null where the bytes are no picture. */
export async function pictureOf(screenshot: Uint8Array): Promise<string | null> {
  // Loaded when needed: it costs a cold start.
  const { default: sharp } = await import("sharp");
  try {
    const jpeg = await sharp(screenshot)
      .resize({ width: WIDTH, height: HEIGHT, fit: "cover", position: "top", withoutEnlargement: true })
      .flatten({ background: "#ffffff" })
      .jpeg({ quality: 68, mozjpeg: true })
      .toBuffer();
    return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
  } catch {
    return null;
  }
}
