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

/** What is installed: the kinds, the settings and rights, the events and control functions, the pipelines that ship. */
const FOLDERS = ["crd", "config", "config/scaling", "eventing", "eventing/authentication"];
const PIPELINES = "pipelines";

export function productManifests(): Manifest[] {
  return productFiles().flatMap((file) => readManifests(join(root, file)));
}

/** Below the root, in the order in which they are applied. */
export function productFiles(): string[] {
  const pipelines = readdirSync(join(root, PIPELINES), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return [...FOLDERS, ...pipelines.map(({ name }) => join(PIPELINES, name))].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => file.endsWith(".yaml"))
      .sort()
      .map((file) => join(folder, file)),
  );
}

export function readManifests(file: string): Manifest[] {
  return parseAllDocuments(readFileSync(file, "utf8"))
    .map((document) => document.toJS() as Manifest | null)
    .filter((manifest) => manifest !== null);
}
