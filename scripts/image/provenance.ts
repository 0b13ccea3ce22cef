import { readFileSync } from "node:fs";
import { join } from "node:path";
import { output } from "./command.ts";

/** Where an image comes from, as labels of the OCI's own names. The tag is the hash of the tree, also of one that no commit has. */
export function provenance(root: string): Record<string, string> {
  const { version, license, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
    string,
    string
  >;
  const git = (...args: string[]): string => output("git", ["-C", root, ...args])?.trim() ?? "";
  const revision = git("rev-parse", "HEAD");
  const isChanged = git("status", "--porcelain") !== "";
  const labels = {
    version,
    licenses: license,
    description,
    created: new Date().toISOString(),
    revision: revision && `${revision}${isChanged ? "-changed" : ""}`,
  };
  return Object.fromEntries(
    Object.entries(labels).flatMap(([name, value]) => (value ? [[`org.opencontainers.image.${name}`, value]] : [])),
  );
}
