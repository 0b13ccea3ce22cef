import { imageNames, importImage } from "../context.ts";
import { archives } from "./cluster-images.ts";

/** Imports those of the cluster's own images that it lacks, and says how many archives those were. */
export async function importClusterImages(wanted = archives()): Promise<string> {
  const present = new Set(await imageNames());
  const missing = wanted.filter(({ names }) => !names.every((name) => present.has(name)));
  for (const { file } of missing) await importImage(file);
  return missing.length > 0 ? `${missing.length} new` : "there";
}
