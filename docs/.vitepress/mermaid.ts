import type { MarkdownRenderer } from "vitepress";

/** Diagrams are drawn from their text in the reader's browser. */
export function mermaidFences(markdown: MarkdownRenderer): void {
  const { fence } = markdown.renderer.rules;
  markdown.renderer.rules.fence = (tokens, index, options, env, self) => {
    const token = tokens[index];
    if (token?.info.trim() === "mermaid") return `<MermaidDiagram text="${encodeURIComponent(token.content)}" />`;
    return fence?.(tokens, index, options, env, self) ?? "";
  };
}
