/** The images of the test cluster: `node test/cluster/images/build.ts` builds what is missing, and imports it where the cluster is up. */
import { existsSync } from "node:fs";
import { type Bases, basesFor } from "../../../scripts/image/bases.ts";
import { timed } from "../../../scripts/image/command.ts";
import { type Engine, findEngine } from "../../../scripts/image/engine.ts";
import { type Image, makeImage, PRODUCT } from "../../../scripts/image/image.ts";
import { containerdSocket, imageNames, importImage } from "../context.ts";
import { type BinaryImage, makeBinaryImage } from "./binary-image.ts";

export type TestImage = "functions" | "redis" | "store" | "jaeger" | "browser" | "litellm" | "support";

/** In the order in which a cluster needs them. */
const NAMES: readonly TestImage[] = ["functions", "redis", "store", "jaeger", "support", "browser", "litellm"];

const BINARIES: Partial<Record<TestImage, BinaryImage>> = {
  store: { upstream: "versitygw", program: "versitygw", path: "/usr/local/bin/versitygw" },
  jaeger: { upstream: "jaeger", program: "all-in-one", path: "/go/bin/all-in-one-linux" },
};

/** The tag of each image. */
export async function buildTestImages(names: readonly TestImage[] = NAMES): Promise<Record<TestImage, string>> {
  const engine = await findEngine();
  const bases = basesFor(engine);
  const tags: Partial<Record<TestImage, string>> = {};
  for (const name of NAMES.filter((known) => names.includes(known))) {
    const image = await makeTestImage(engine, bases, name);
    await give(image);
    tags[name] = image.tag;
  }
  return tags as Record<TestImage, string>;
}

export function makeTestImage(engine: Engine, bases: Bases, name: TestImage): Promise<Image> {
  if (name === "functions") return makeImage(engine, bases, PRODUCT);
  const binary = BINARIES[name];
  if (binary) return makeBinaryImage(binary);
  return makeImage(engine, bases, { name, dockerfile: `test/cluster/images/${name}/Dockerfile` });
}

/** To the cluster, where it is up. */
async function give({ tag, tar }: Image): Promise<void> {
  const there = existsSync(containerdSocket) ? await imageNames().catch(() => undefined) : undefined;
  if (there !== undefined && !there.includes(tag)) await timed(`import of ${tag}`, () => importImage(tar));
}

if (import.meta.main) {
  const names = process.argv.slice(2) as TestImage[];
  const tags = await buildTestImages(names.length > 0 ? names : NAMES);
  for (const [name, tag] of Object.entries(tags)) console.log(`image: ${name.padEnd(10)} ${tag}`);
}
