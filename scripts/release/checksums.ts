import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface Artifact {
  readonly name: string;
  readonly sha256: string;
}

/** The files of a folder, by name. */
export function artifactsIn(folder: string): Artifact[] {
  return readdirSync(folder)
    .sort()
    .map((name) => ({
      name,
      sha256: createHash("sha256")
        .update(readFileSync(join(folder, name)))
        .digest("hex"),
    }));
}

/** As `sha256sum --check` reads it. */
export function checksums(artifacts: readonly Artifact[]): string {
  return artifacts.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
}
