import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The files that an allow-list of a .dockerignore (`*`, then `!path` lines) lets into a build, sorted. */
function inputsOf(context: string, ignoreFile: string): string[] {
  return readFileSync(ignoreFile, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .flatMap((line) => filesOf(context, line.slice(1)))
    .sort();
}

function filesOf(context: string, path: string): string[] {
  const found = statSync(join(context, path), { throwIfNoEntry: false });
  if (found === undefined) throw new Error(`${path} is named in a .dockerignore, and is not there`);
  if (found.isFile()) return [path];
  return readdirSync(join(context, path)).flatMap((name) => filesOf(context, `${path}/${name}`));
}

/** A short hash of what an image is made from: the same tree gives the same tag, and needs no build. */
export function hashInputs(context: string, ignoreFile: string, ...others: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of inputsOf(context, ignoreFile)) hash.update(`${path}\0`).update(readFileSync(join(context, path)));
  for (const other of others) hash.update(`\0${other}`);
  return hash.digest("hex").slice(0, 12);
}

export function hashText(...texts: readonly string[]): string {
  return createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 12);
}
