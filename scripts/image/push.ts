import { basename } from "node:path";
import { timed } from "./command.ts";
import type { Engine } from "./engine.ts";
import type { Image } from "./image.ts";
import { locked } from "./lock.ts";

/**
 * Pushes an image to REGISTRY/NAME:TAG. @returns its name by digest: Knative looks a tag up at the registry, which its
 * controller may not reach where the nodes do (localhost, a password), and takes a digest as it is.
 */
export function pushImage(engine: Engine, { tag, tar }: Image, registry: string): Promise<string> {
  const name = `${registry}/${basename(tag)}`;
  return locked(() =>
    timed(`push of ${name}`, async () => {
      // The engine may have forgotten what the cache still has.
      if (!engine.has(tag)) await engine.load(tar);
      const digest = await engine.push(tag, name);
      return `${name.slice(0, name.lastIndexOf(":"))}@${digest}`;
    }),
  );
}
