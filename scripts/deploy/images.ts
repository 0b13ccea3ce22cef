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
  const there = new Set(imagesIn(manifests).map(repositoryOf));
  const unknown = Object.keys(images).find((repository) => !there.has(repository));
  if (unknown !== undefined) throw new Error(`no image is of ${unknown}; there are ${[...there].join(", ")}`);
  return images;
}

/** With each image replaced whose repository is in `images`. */
export function withImages<T>(value: T, images: Images): T {
  return mapImages(value, (image) => images[repositoryOf(image)] ?? image);
}

/** With each image as `to` has it. */
export function mapImages<T>(value: T, to: (image: string) => string): T {
  if (Array.isArray(value)) return value.map((one) => mapImages(one, to)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isImage(key, inner) ? to(inner) : mapImages(inner, to)]),
  ) as T;
}

/** Each image that is run, once. */
export function imagesIn(value: unknown): string[] {
  const found = new Set<string>();
  mapImages(value, (image) => {
    found.add(image);
    return image;
  });
  return [...found];
}

const isImage = (key: string, value: unknown): value is string => key === "image" && typeof value === "string";

/** What stands before the tag or digest. */
export const repositoryOf = (image: string): string => image.replace(/[:@][^/]*$/, "");
