/** What the corpus holds, as committed. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type CorpusPackage, type CorpusPage, packageSchema, pageSchema } from "./page.ts";

export const PARTS = ["develop", "scored"] as const;
export type Part = (typeof PARTS)[number];

/** A page with what it is called: ID is its file's name. */
export interface NamedPage extends CorpusPage {
  readonly id: string;
  readonly part: Part;
}

const fileOf = (part: Part, name: string) => fileURLToPath(new URL(`./${part}/${name}`, import.meta.url));

export function packagesOf(part: Part): CorpusPackage[] {
  if (!existsSync(fileOf(part, "packages.json"))) return [];
  return z.array(packageSchema).parse(JSON.parse(readFileSync(fileOf(part, "packages.json"), "utf8")));
}

export function pagesOf(part: Part): NamedPage[] {
  if (!existsSync(fileOf(part, "pages"))) return [];
  const files = readdirSync(fileOf(part, "pages")).filter((name) => name.endsWith(".json"));
  return files.toSorted().map((name) => {
    const parsed = pageSchema.safeParse(JSON.parse(readFileSync(fileOf(part, `pages/${name}`), "utf8")));
    if (!parsed.success) throw new Error(`${part}/pages/${name}: ${z.prettifyError(parsed.error)}`);
    return { id: name.replace(/\.json$/, ""), part, ...parsed.data };
  });
}

export function hostOf(packageName: string): string {
  const slug = packageName.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return `${slug.replace(/^-|-$/g, "")}.example`;
}
