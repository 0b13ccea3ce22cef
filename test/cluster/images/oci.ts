import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { copyFile, mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { run } from "../run.ts";

/** An image as small as can be: files of this machine at their places in it, and what runs. */
export type Image = { name: string; files: Record<string, string>; entrypoint: string[] };

const oci = (kind: string): string => `application/vnd.oci.image.${kind}`;
// Same input, same bytes.
const tarFlags = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0"];

/** Writes a tar of an OCI layout with these images, each of one layer. */
export async function writeImages(images: Image[], file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const work = await mkdtemp(`${file}.`);
  try {
    const layout = join(work, "layout");
    await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
    const manifests = [];
    for (const image of images) manifests.push(await addImage(image, layout, join(work, "root")));
    await writeFile(join(layout, "oci-layout"), JSON.stringify({ imageLayoutVersion: "1.0.0" }));
    await writeFile(join(layout, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
    await run("tar", [...tarFlags, "-C", layout, "-cf", join(work, "images.tar"), "."]);
    await rename(join(work, "images.tar"), file);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function addImage(image: Image, layout: string, root: string): Promise<object> {
  await rm(root, { recursive: true, force: true });
  await mkdir(join(root, "tmp"), { recursive: true, mode: 0o1777 });
  for (const [path, source] of Object.entries(image.files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await copyFile(source, join(root, path));
  }
  await run("chmod", ["1777", join(root, "tmp")]);
  const layer = join(layout, "layer.tar");
  await run("tar", [...tarFlags, "-C", root, "-cf", layer, "."]);
  const layerDigest = await digestOf(layer);
  const layerSize = (await stat(layer)).size;
  await rename(layer, join(layout, "blobs", "sha256", layerDigest));
  const config = await addBlob(layout, oci("config.v1+json"), {
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { User: "65532:65532", Entrypoint: image.entrypoint, Env: ["PATH=/usr/local/bin"] },
    rootfs: { type: "layers", diff_ids: [`sha256:${layerDigest}`] },
  });
  const layers = [{ mediaType: oci("layer.v1.tar"), digest: `sha256:${layerDigest}`, size: layerSize }];
  const mediaType = oci("manifest.v1+json");
  const manifest = await addBlob(layout, mediaType, { schemaVersion: 2, mediaType, config, layers });
  return { ...manifest, annotations: { "io.containerd.image.name": image.name } };
}

async function addBlob(layout: string, mediaType: string, content: object): Promise<object> {
  const bytes = Buffer.from(JSON.stringify(content));
  const hex = createHash("sha256").update(bytes).digest("hex");
  await writeFile(join(layout, "blobs", "sha256", hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}
