/**
 * package.json says which version this is; wherever else it stands, it is written from there. With --check it only reports files that are
 * out of date. A new version: `npm version --no-git-tag-version 0.2.0 && npm run generate`.
 */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
/** The product's image, and the package that agents install. */
const NAMED =
  /(ghcr\.io\/agentic-kubernetes\/functions:|\bagentic-kubernetes-)\d+\.\d+\.\d+(?:-[\w.]*\w)?(?=["\s]|\.tgz|$)/gm;
const FOLDERS = ["config", "eventing", "pipelines", "examples", "templates"];

const files = execFileSync("git", ["ls-files", "-z", "--", ...FOLDERS], { cwd: root, encoding: "utf8" }).split("\0");
for (const file of files.filter((path) => /\.(yaml|json|md)$/.test(path))) {
  const text = readFileSync(join(root, file), "utf8");
  const right = text.replace(NAMED, `$1${version}`);
  if (right === text) continue;
  if (!process.argv.includes("--check")) writeFileSync(join(root, file), right);
  else {
    console.error(`${file} names another version than package.json: run 'npm run generate' and commit`);
    process.exitCode = 1;
  }
}
