/** `make image`: builds the product's image, unless one of the same tree is in the cache, and says what it is called and how large. */
import { basesFor } from "./image/bases.ts";
import { findEngine } from "./image/engine.ts";
import { makeImage, PRODUCT } from "./image/image.ts";
import { sizesOf } from "./image/sizes.ts";

/** MB as a registry stores it, without Chromium. */
const GOAL = 120;

try {
  const engine = await findEngine();
  const { tag, tar } = await makeImage(engine, basesFor(engine), PRODUCT);
  const { compressed, unpacked } = sizesOf(tar);
  console.log(`image: ${tag}`);
  console.log(`image: ${tar}`);
  console.log(
    `image: ${compressed.toFixed(0)} MB as a registry stores it (goal ${GOAL}), ${unpacked.toFixed(0)} MB unpacked`,
  );
} catch (error) {
  console.error(`image: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
