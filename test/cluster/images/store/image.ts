import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import type { Image } from "../../../../scripts/image/image.ts";
import { built } from "../../built.ts";
import { cache } from "../../paths.ts";
import { imageName } from "../name.ts";
import { writeImages } from "../oci.ts";

/** versitygw alone, at the path where the public image has it; built from source when it is not cached. */
export async function makeStoreImage(): Promise<Image> {
  const folder = await built("versitygw");
  const tag = imageName("versitygw", "versitygw");
  const tar = join(cache, "cluster-images", `${basename(folder)}.tar`);
  const path = "/usr/local/bin/versitygw";
  const files = { [path]: join(folder, "versitygw") };
  if (!existsSync(tar)) await writeImages([{ name: tag, files, entrypoint: [path] }], tar);
  return { tag, tar };
}
