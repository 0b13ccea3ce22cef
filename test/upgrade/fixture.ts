import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";

// What a released version left behind, a folder each: CONTRIBUTING.md ("A release") says how one is recorded.

const FIXTURES = join(import.meta.dirname, "fixtures");

/** The released versions that are kept. */
export const versions: readonly string[] = readdirSync(FIXTURES).toSorted();

/** Files of a folder by their path, in base64. */
export type Packed = Readonly<Record<string, string>>;

/** All regular files below `folder`. */
export function packFolder(folder: string): Packed {
  const files = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path), readFileSync(path).toString("base64")];
    }),
  );
}

export function unpackFolder(packed: Packed, folder: string): void {
  for (const [path, content] of Object.entries(packed)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, Buffer.from(content, "base64"), { mode: 0o600 });
  }
}

export function writeFixture(version: string, name: string, value: unknown): void {
  const file = fileOf(version, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, gzipSync(JSON.stringify(value), { level: 9 }));
}

export function readFixture<T>(version: string, name: string): T {
  const file = fileOf(version, name);
  if (!existsSync(file)) throw new Error(`${file} is missing: 'node test/upgrade/record.ts' records it`);
  return JSON.parse(gunzipSync(readFileSync(file)).toString("utf8")) as T;
}

function fileOf(version: string, name: string): string {
  return join(FIXTURES, version, `${name}.json.gz`);
}
