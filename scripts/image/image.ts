import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Bases, makeBases } from "./bases.ts";
import { imageCache } from "./cache.ts";
import { timed } from "./command.ts";
import type { Compression, Engine } from "./engine.ts";
import { hashInputs } from "./inputs.ts";
import { lendSettings } from "./lend.ts";
import { locked } from "./lock.ts";

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
  const dockerfile = join(root, recipe.dockerfile);
  const ignoreFile = existsSync(`${dockerfile}.dockerignore`)
    ? `${dockerfile}.dockerignore`
    : join(root, ".dockerignore");
  const args = { ...bases, ...recipe.args };
  const hash = hashInputs(root, ignoreFile, readFileSync(dockerfile, "utf8"), JSON.stringify(args));
  const tag = `dev.local/agentic/${recipe.name}:${hash}`;
  const tar = join(imageCache, `${recipe.name}-${hash}.tar`);
  if (!existsSync(tar))
    await locked(async () => {
      // Another process may have made it meanwhile.
      if (existsSync(tar)) return;
      await makeBases(engine, bases, root);
      const build = { tag, context: root, dockerfile, ignoreFile, args, secrets: lendSettings() };
      await timed(`${tag}, by ${engine.name}`, () => engine.build(build));
      await timed(basename(tar), async () => {
        const partial = `${tar}.partial`;
        rmSync(partial, { force: true });
        await engine.save(tag, partial, recipe.compression ?? "fast");
        renameSync(partial, tar);
      });
      removeOld(recipe.name);
      await engine.tidy();
    });
  return { tag, tar };
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
