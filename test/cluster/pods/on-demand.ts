import { archiveOf, buildImages } from "../images/cluster-images.ts";
import { importClusterImages } from "../images/import.ts";
import { until } from "../wait.ts";
import { keda } from "./addons.ts";
import { apply, remove } from "./apply.ts";
import { logOfDeployment, notReady } from "./ready.ts";

// KEDA takes memory, and seconds of each start, for one test: that test starts it on a cluster that is up, and takes it away.

export async function startKeda(): Promise<void> {
  const images = [archiveOf("keda")];
  await buildImages(images);
  await importClusterImages(images);
  await apply(keda);
  let missing: string[] = [];
  const ready = await until(
    async () => {
      missing = await notReady(keda.waitFor);
      return missing.length === 0;
    },
    180,
    500,
  );
  const [first] = missing;
  if (!ready && first !== undefined) throw new Error(`${first} is not ready:\n${await logOfDeployment(first)}`);
}

/** What it scales is to be deleted before: it has a finalizer of KEDA's. */
export const stopKeda = (): Promise<void> => remove(keda);
