import { existsSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { fileOf, pageOf, ROOT } from "./pages.ts";

const ELSEWHERE = /^(?:[a-z]+:|#|\/)/i;

/**
 * Links between pages become those of the site, whose paths are not those of the repository. Files and folders of the repository that
 * are no pages stand as text: the site does not have them. A link to what the repository does not have ends the build; VitePress
 * checks those to pages.
 */
export function repositoryLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("repository-links", ({ tokens, env }) => {
    const page: string = env.relativePath ?? "";
    for (const { children } of tokens)
      for (const [at, token] of (children ?? []).entries()) {
        const href = token.type === "link_open" ? token.attrGet("href") : null;
        if (!href || ELSEWHERE.test(href)) continue;
        const target = normalize(join(dirname(fileOf(page)), decodeURI(href.replace(/[#?].*$/, ""))));
        if (!existsSync(join(ROOT, target)))
          throw new Error(`${page} links ${href}, which the repository does not have`);
        if (target.endsWith(".md")) {
          token.attrSet("href", `/${pageOf(target)}${/[#?].*$/.exec(href)?.[0] ?? ""}`);
          continue;
        }
        const close = children?.slice(at).find(({ type }) => type === "link_close");
        for (const one of [token, close]) if (one) [one.type, one.tag, one.attrs] = [`${one.type}_text`, "span", null];
      }
    return true;
  });
}
