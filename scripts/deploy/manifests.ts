import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";

/** An object as its file has it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string> };
  [field: string]: unknown;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What is installed: the type, the settings and rights, the events and functions. */
const FOLDERS = ["crd", "config", "eventing"];

export function productManifests(): Manifest[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith(".yaml"))
      .sort()
      .flatMap((file) => readManifests(join(root, folder, file))),
  );
}

export function readManifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, "utf8"))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}
