import type { Manifest } from "./manifests.ts";

/** The repository of the functions' image, as config/ and eventing/ name it. */
export const FUNCTIONS = "ghcr.io/agentic-kubernetes/functions";

/** Images by the repository whose place they take. */
export type Images = Readonly<Record<string, string>>;

/** Reads options `[REPOSITORY=]NAME`; without a repository NAME is the functions' image. @throws Error for one that no manifest has */
export function readImages(options: readonly string[], manifests: readonly Manifest[]): Images {
  const images = Object.fromEntries(
    options.map((option) => (option.includes("=") ? option.split("=", 2) : [FUNCTIONS, option])),
  );
  const there = new Set(repositoriesIn(manifests));
  const unknown = Object.keys(images).find((repository) => !there.has(repository));
  if (unknown !== undefined) throw new Error(`no image is of ${unknown}; there are ${[...there].join(", ")}`);
  return images;
}

/** With each image replaced whose repository is in `images`. */
export function withImages<T>(value: T, images: Images): T {
  if (Array.isArray(value)) return value.map((one) => withImages(one, images)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isImage(key, inner) ? (images[repositoryOf(inner)] ?? inner) : withImages(inner, images),
    ]),
  ) as T;
}

function repositoriesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    isImage(key, inner) ? [repositoryOf(inner)] : repositoriesIn(inner),
  );
}

const isImage = (key: string, value: unknown): value is string => key === "image" && typeof value === "string";

/** What stands before the tag or digest. */
const repositoryOf = (image: string): string => image.replace(/[:@][^/]*$/, "");
