import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import { type ArtifactReader, getIfKept } from "../../lib/edges/artifacts.ts";
import { citedIn } from "./claims.ts";
import type { Dossier, NumberedClaim, Report } from "./report.ts";

/** Data URIs. */
export interface Pictures {
  /** The top of each competitor's page, by competitor; null where no picture could be made. */
  readonly sites: ReadonlyMap<string, string | null>;
  /** What a claim looks like on its page, by claim. */
  readonly claims: ReadonlyMap<string, string>;
}

export async function loadPictures(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  report: Report,
): Promise<Pictures> {
  return {
    sites: await loadScreenshots(artifacts, workload, report),
    claims: await loadCrops(artifacts, workload, shownClaims(report)),
  };
}

async function loadScreenshots(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  { competitors }: Dossier,
): Promise<Map<string, string | null>> {
  const pictures = new Map<string, string | null>();
  // One after the other: fifty decoded screenshots at once would take 200 MB.
  for (const { id, analysis } of competitors)
    pictures.set(id, await screenshotOf(await artifacts.get(workload, analysis.design.screenshot)));
  return pictures;
}

/** Fifty pictures of this size make about 2 MB of HTML. */
const PICTURE = { width: 720, height: 450, quality: 68 } as const;

/** The top of a screenshot as a small JPEG; null where the bytes are no picture. */
async function screenshotOf(screenshot: Uint8Array): Promise<string | null> {
  // Loaded here: it would slow each start.
  const { default: sharp } = await import("sharp");
  const { width, height, quality } = PICTURE;
  try {
    const jpeg = await sharp(screenshot)
      .resize({ width, height, fit: "cover", position: "top", withoutEnlargement: true })
      .flatten({ background: "#ffffff" })
      .jpeg({ quality, mozjpeg: true })
      .toBuffer();
    return dataUri(jpeg);
  } catch {
    return null;
  }
}

/** Claims of which the page shows a picture, the most wanted first: what changed, then what the answer and the insights cite. */
export function shownClaims({ claims, changes, narrative, gaps, standouts, saturated }: Report): NumberedClaim[] {
  const changed = (changes?.list ?? []).filter(({ status }) => status !== "notComparable");
  const wanted = [
    ...changed.flatMap(({ claim }) => claim ?? []),
    ...citedIn(`${narrative.answer} ${narrative.recommendation}`),
    ...[...narrative.claims, ...gaps, ...standouts, ...saturated].flatMap((insight) => insight.claims),
  ];
  const byId = new Map(claims.map((claim) => [claim.id, claim]));
  return [...new Set(wanted)].flatMap((id) => byId.get(id) ?? []);
}

/** Of all crops together, as JPEG: they make a third more of the page. */
export const MAX_CROP_BYTES = 1_500_000;
/** Of what is around a claim's text, in pixels. */
const MARGIN = 16;
const CROP = { width: 360, height: 200, quality: 60 } as const;

/** Small pictures of these claims, as many as the page has room for. A picture that is gone, or is none, is left out. */
async function loadCrops(
  artifacts: ArtifactReader,
  workload: ArtifactOwner,
  claims: readonly NumberedClaim[],
): Promise<Map<string, string>> {
  const crops = new Map<string, string>();
  let bytes = 0;
  // One after the other, for the memory's sake.
  for (const { id, crop } of claims) {
    if (!crop) continue;
    const image = await getIfKept(artifacts, workload, crop.image);
    const jpeg = image && (await cropped(image, crop.box));
    if (!jpeg) continue;
    bytes += jpeg.length;
    if (bytes > MAX_CROP_BYTES) break;
    crops.set(id, dataUri(jpeg));
  }
  return crops;
}

/** Undefined where the box lies outside of the picture, or the bytes are none. */
async function cropped(image: Uint8Array, box: NonNullable<NumberedClaim["crop"]>["box"]): Promise<Buffer | undefined> {
  const { default: sharp } = await import("sharp");
  try {
    const picture = sharp(image);
    const { width, height } = await picture.metadata();
    const left = Math.max(0, Math.floor(box.x - MARGIN));
    const top = Math.max(0, Math.floor(box.y - MARGIN));
    const area = {
      left,
      top,
      width: Math.min(width, Math.ceil(box.x + box.width + MARGIN)) - left,
      height: Math.min(height, Math.ceil(box.y + box.height + MARGIN)) - top,
    };
    if (area.width <= MARGIN || area.height <= MARGIN) return undefined;
    return await picture
      .extract(area)
      .resize({ width: CROP.width, height: CROP.height, fit: "inside", withoutEnlargement: true })
      .flatten({ background: "#ffffff" })
      .jpeg({ quality: CROP.quality, mozjpeg: true })
      .toBuffer();
  } catch {
    return undefined;
  }
}

const dataUri = (jpeg: Buffer): string => `data:image/jpeg;base64,${jpeg.toString("base64")}`;
