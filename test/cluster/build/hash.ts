import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A short name for what the files of a folder and some text say. */
export function hashFiles(folder: string, ...more: string[]): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(folder).sort())
    hash
      .update(file)
      .update("\0")
      .update(readFileSync(join(folder, file)));
  for (const text of more) hash.update("\0").update(text);
  return hash.digest("hex").slice(0, 12);
}
