import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "../../test/mutations/mutation.ts";

/** A copy of the tree to change; the checkout itself is only read. */
export interface Copy {
  readonly folder: string;
  /** For temporary files of what runs in the copy; goes with it. */
  readonly temporary: string;
  /** @returns what puts the file back. @throws Error where the text to find does not occur exactly once */
  mutate(mutation: Mutation): () => void;
  remove(): void;
}

/** Copies what git tracks or would track, as it is on disk, changes that are not committed included; dependencies are linked. */
export function copyTree(root: string): Copy {
  const top = mkdtempSync(join(tmpdir(), "mutate-"));
  const [folder, temporary] = [join(top, "tree"), join(top, "tmp")];
  for (const made of [folder, temporary]) mkdirSync(made);
  const listed = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root });
  const deleted = execFileSync("git", ["ls-files", "-z", "--deleted"], { cwd: root });
  const gone = new Set(deleted.toString().split("\0"));
  for (const file of listed.toString().split("\0"))
    if (!gone.has(file) && file !== "node_modules") cpSync(join(root, file), join(folder, file));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return {
    folder,
    temporary,
    mutate(mutation) {
      const path = join(folder, mutation.file);
      const text = readFileSync(path, "utf8");
      writeFileSync(path, mutated(text, mutation));
      return () => writeFileSync(path, text);
    },
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** @throws Error where the text to find does not occur exactly once */
export function mutated(text: string, { file, find, replace }: Mutation): string {
  const parts = text.split(find);
  if (parts.length !== 2)
    throw new Error(`occurs ${parts.length - 1} times in ${file}, expected once: ${JSON.stringify(find)}`);
  return parts.join(replace);
}
