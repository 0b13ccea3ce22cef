/** Captures in the cache folder, kept as long as neither the page nor scrape changes: whoever works on extraction replays them without a browser. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { StepResult } from "../../engine/result.ts";
import { cache } from "../../test/cluster/paths.ts";

const FOLDER = join(cache, "extraction-captures");
const root = fileURLToPath(new URL("../../", import.meta.url));

/** Where scrape's artifacts are kept, for all captures. */
export const CAPTURED_ARTIFACTS = join(FOLDER, "artifacts");

/** `version` says which files the page is made of. */
export async function keptCapture(
  page: { readonly url: string; readonly version: string },
  scrape: (url: string) => Promise<StepResult>,
): Promise<StepResult> {
  const key = createHash("sha256").update(`${page.url}\n${page.version}\n${SCRAPE}`).digest("hex").slice(0, 32);
  const file = join(FOLDER, `${key}.json`);
  if (existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as StepResult;
  const result = await scrape(page.url);
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(result));
  renameSync(`${file}.${process.pid}`, file);
  return result;
}

/** Of all files below a folder of this project. */
export function digestOfFolder(folder: string): string {
  const hash = createHash("sha256");
  const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  for (const path of files.map((one) => join(one.parentPath, one.name)).toSorted())
    hash.update(`${path.slice(root.length)}\n`).update(readFileSync(path));
  return hash.digest("hex");
}

const SCRAPE = createHash("sha256")
  .update(digestOfFolder("functions/scrape"))
  .update(readFileSync(join(root, "pipelines/market-analysis/capture.ts")))
  .digest("hex");
