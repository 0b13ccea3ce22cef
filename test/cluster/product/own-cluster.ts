import { FUNCTIONS, readImages } from "../../../scripts/deploy/images.ts";
import type { Kubectl } from "../../../scripts/deploy/kubectl.ts";
import { NO_REGISTRY } from "../../../scripts/deploy/registry.ts";
import { basesFor } from "../../../scripts/image/bases.ts";
import { findEngine } from "../../../scripts/image/engine.ts";
import { pushImage } from "../../../scripts/image/push.ts";
import { makeTestImage, type TestImage } from "../images/build.ts";
import { deployForTests, manifestsForTests, SUPPORT } from "./for-tests.ts";

/**
 * The product for its tests, on a cluster of the user's own: images of this tree by way of a registry, the others as config/
 * names them. `replaced`: options `[REPOSITORY=]NAME`, before all else.
 */
export async function deployToOwnCluster({
  kubectl,
  registry,
  replaced,
  say,
}: {
  readonly kubectl: Kubectl;
  readonly registry: string;
  readonly replaced: readonly string[];
  readonly say: (line: string) => void;
}): Promise<void> {
  const manifests = manifestsForTests();
  const images = readImages(replaced, manifests);
  if (registry === "") throw new Error(NO_REGISTRY);
  const engine = await findEngine();
  const bases = basesFor(engine);
  const push = async (name: TestImage) => pushImage(engine, await makeTestImage(engine, bases, name), registry);
  const own = { [FUNCTIONS]: await push("functions"), [SUPPORT]: await push("support") };
  await deployForTests({ kubectl, manifests, images: { ...own, ...images }, say });
}
