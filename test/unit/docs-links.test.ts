import { existsSync, globSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HIDDEN = /(?:^|\/)(?:node_modules|dist|agentic-runs|site-pages|build|vendor|\.[^/]+)(?:\/|$)/;
const files = globSync("**/*.md", { cwd: ROOT, exclude: (path) => HIDDEN.test(path) }).filter(
  (path) => !HIDDEN.test(path),
);

/** As GitHub and the site name headings. */
function anchorsOf(file: string): Set<string> {
  const headings = withoutCode(readFileSync(join(ROOT, file), "utf8")).matchAll(/^#{1,6} (.+)$/gm);
  const seen = new Map<string, number>();
  return new Set(
    [...headings].map(([, text = ""]) => {
      const slug = text
        .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replace(/\s/g, "-");
      const count = seen.get(slug) ?? 0;
      seen.set(slug, count + 1);
      return count === 0 ? slug : `${slug}-${count}`;
    }),
  );
}

const withoutCode = (text: string): string => text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");

test("links of the documents lead to what the repository has", () => {
  expect(files.length).toBeGreaterThan(50);
  const dead = files.flatMap((file) =>
    [...withoutCode(readFileSync(join(ROOT, file), "utf8")).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = ""]) => {
      if (/^[a-z]+:/i.test(link)) return [];
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? file : normalize(join(dirname(file), path));
      if (!existsSync(join(ROOT, target))) return [`${file}: ${link}`];
      const isPage = target.endsWith(".md") && statSync(join(ROOT, target)).isFile();
      return anchor === undefined || !isPage || anchorsOf(target).has(anchor) ? [] : [`${file}: ${link}`];
    }),
  );
  expect(dead).toEqual([]);
});
