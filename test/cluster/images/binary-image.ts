import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Image } from "../../../scripts/image/image.ts";
import { built } from "../built.ts";
import { cache } from "../paths.ts";
import { imageName } from "./name.ts";
import { writeImages } from "./oci.ts";

/** What an image holds of an upstream. */
export interface BinaryImage {
  readonly upstream: Parameters<typeof built>[0];
  /** In the upstream's folder. */
  readonly program: string;
  /** Where the public image has it. */
  readonly path: string;
}

/** One program and nothing else, built from source when it is not cached. */
export async function makeBinaryImage({ upstream, program, path }: BinaryImage): Promise<Image> {
  const folder = await built(upstream);
  const tag = imageName(upstream, program);
  const tar = join(cache, "cluster-images", `${basename(folder)}.tar`);
  const files = { [path]: join(folder, program) };
  if (!existsSync(tar)) await writeImages([{ name: tag, files, entrypoint: [path] }], tar);
  return { tag, tar };
}
