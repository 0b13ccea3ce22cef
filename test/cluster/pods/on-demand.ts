import { archiveOf, archiveOfWheel, buildImages } from "../images/cluster-images.ts";
import { importClusterImages } from "../images/import.ts";
import { until } from "../wait.ts";
import { type Addon, keda, vault } from "./addons.ts";
import { apply, remove } from "./apply.ts";
import { logOfDeployment, notReady } from "./ready.ts";

// What takes memory, and seconds of each start, for one test: that test starts it on a cluster that is up, and takes it away.

export const startKeda = (): Promise<void> => start([keda], [archiveOf("keda")]);

/** What it scales is to be deleted before: it has a finalizer of KEDA's. */
export const stopKeda = (): Promise<void> => stop([keda]);

export const startVault = (): Promise<void> => start(vault, [archiveOf("external-secrets"), archiveOfWheel("openbao")]);

/** Secrets stay whose ExternalSecret left them to themselves. */
export const stopVault = (): Promise<void> => stop(vault);

async function start(addons: readonly Addon[], images: Parameters<typeof buildImages>[0] & object): Promise<void> {
  await buildImages(images);
  await importClusterImages(images);
  for (const addon of addons) await apply(addon);
  let missing: string[] = [];
  const ready = await until(
    async () => {
      missing = await notReady(addons.flatMap(({ waitFor }) => waitFor));
      return missing.length === 0;
    },
    180,
    500,
  );
  const [first] = missing;
  if (!ready && first !== undefined) throw new Error(`${first} is not ready:\n${await logOfDeployment(first)}`);
}

async function stop(addons: readonly Addon[]): Promise<void> {
  for (const addon of addons.toReversed()) await remove(addon);
}
