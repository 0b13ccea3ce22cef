import { cpSync, globSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Below docs/, where the pages find Vue. */
const PAGES = "docs/site-pages";
const HIDDEN = /(?:^|\/)(?:node_modules|dist|agentic-runs|site-pages|templates|charts|\.[^/]+)(?:\/|$)/;

/** Where a Markdown file of the repository is in the site: those of docs/ stand at its top. */
export function pageOf(file: string): string {
  return file === "README.md" ? "readme.md" : file.replace(/^docs\//, "");
}

const files = globSync("**/*.md", { cwd: ROOT, exclude: (path) => HIDDEN.test(path) }).filter(
  (path) => !HIDDEN.test(path),
);
const sources = new Map(files.map((file) => [pageOf(file), file]));

/** The file that a page is made of. */
export function fileOf(page: string): string {
  return sources.get(page) ?? page;
}

/** Pages outside docs/ are part of the site, too. @returns the folder of all pages, as VitePress wants it */
export function copyPages(): string {
  rmSync(join(ROOT, PAGES), { recursive: true, force: true });
  for (const [page, file] of sources) {
    const target = join(ROOT, PAGES, page);
    mkdirSync(dirname(target), { recursive: true });
    cpSync(join(ROOT, file), target);
  }
  // As the README names them.
  cpSync(join(ROOT, "docs/pictures"), join(ROOT, PAGES, "docs/pictures"), { recursive: true });
  return "site-pages";
}
