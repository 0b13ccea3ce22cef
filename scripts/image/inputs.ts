import { createHash } from "node:crypto";
import { globSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";

/** The files that an allow-list of a .dockerignore (`*`, then `!path` lines) lets into a build, sorted. */
export function inputsOf(context: string, ignoreFile: string): string[] {
  return readFileSync(ignoreFile, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("!"))
    .flatMap((line) => {
      const paths = globSync(line.slice(1), { cwd: context });
      if (paths.length === 0) throw new Error(`${ignoreFile} lets ${line.slice(1)} in, and it is not there`);
      return paths.flatMap((path) => filesOf(context, path));
    })
    .sort();
}

function filesOf(context: string, path: string): string[] {
  if (statSync(join(context, path)).isFile()) return [path];
  return readdirSync(join(context, path)).flatMap((name) => filesOf(context, `${path}/${name}`));
}

/** A short hash of what an image is made from: the same tree gives the same tag, and needs no build. */
export function hashFiles(context: string, paths: readonly string[], ...others: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(context, path)));
  for (const other of others) hash.update(`\0${other}`);
  return hash.digest("hex").slice(0, 12);
}

export function hashText(...texts: readonly string[]): string {
  return createHash("sha256").update(texts.join("\0")).digest("hex").slice(0, 12);
}
