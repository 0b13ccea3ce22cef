import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bases, makeBases } from "./bases.ts";
import { imageCache } from "./cache.ts";
import { timed } from "./command.ts";
import type { Compression, Engine } from "./engine.ts";
import { hashFiles, inputsOf } from "./inputs.ts";
import { lendSettings } from "./lend.ts";
import { locked } from "./lock.ts";
import { provenance } from "./provenance.ts";

export interface Recipe {
  /** The last part of dev.local/agentic/NAME. */
  readonly name: string;
  /** Relative to the repository, as the ignore file beside it. */
  readonly dockerfile: string;
  /** Absent: fast. */
  readonly compression?: Compression;
  readonly args?: Readonly<Record<string, string>>;
}

export interface Image {
  readonly tag: string;
  /** An OCI archive. */
  readonly tar: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const KEPT_TARS = 2;

/** The image of a recipe: the one that was built of the same inputs, or a new one. */
export async function makeImage(engine: Engine, bases: Bases, recipe: Recipe): Promise<Image> {
  const image = imageOf(root, bases, recipe);
  return existsSync(image.tar) ? image : locked(() => build(engine, bases, recipe));
}

function imageOf(context: string, bases: Bases, { name, dockerfile, args }: Recipe): Image {
  const text = readFileSync(join(root, dockerfile), "utf8");
  const hash = hashFiles(
    context,
    inputsOf(context, ignoreFileOf(dockerfile)),
    text,
    JSON.stringify({ ...bases, ...args }),
  );
  return { tag: `dev.local/agentic/${name}:${hash}`, tar: join(imageCache, `${name}-${hash}.tar`) };
}

/** From a copy: a tree that is edited while it is built would end up under a tag that tells something else. */
async function build(engine: Engine, bases: Bases, recipe: Recipe): Promise<Image> {
  const context = mkdtempSync(join(imageCache, "context-"));
  try {
    for (const path of inputsOf(root, ignoreFileOf(recipe.dockerfile)))
      cpSync(join(root, path), join(context, path), { preserveTimestamps: true });
    const image = imageOf(context, bases, recipe);
    // Another process may have made it meanwhile.
    if (existsSync(image.tar)) return image;
    await makeBases(engine, bases, root);
    await timed(`${image.tag}, by ${engine.name}`, () =>
      engine.build({
        tag: image.tag,
        context,
        dockerfile: join(root, recipe.dockerfile),
        args: { ...bases, ...recipe.args },
        labels: provenance(root),
        secrets: lendSettings(),
      }),
    );
    await timed(basename(image.tar), async () => {
      const partial = `${image.tar}.partial`;
      rmSync(partial, { force: true });
      await engine.save(image.tag, partial, recipe.compression ?? "fast");
      renameSync(partial, image.tar);
    });
    removeOld(recipe.name);
    await engine.tidy();
    return image;
  } finally {
    rmSync(context, { recursive: true, force: true });
  }
}

function ignoreFileOf(dockerfile: string): string {
  const own = join(root, `${dockerfile}.dockerignore`);
  return existsSync(own) ? own : join(root, ".dockerignore");
}

function removeOld(name: string): void {
  const mine = new RegExp(`^${name}-[0-9a-f]{12}\\.tar$`);
  const tars = readdirSync(imageCache)
    .filter((file) => mine.test(file))
    .map((file) => ({ path: join(imageCache, file), at: statSync(join(imageCache, file)).mtimeMs }))
    .sort((a, b) => b.at - a.at);
  for (const { path } of tars.slice(KEPT_TARS)) rmSync(path);
}

export const PRODUCT: Recipe = { name: "functions", dockerfile: "Dockerfile", compression: "gzip" };
