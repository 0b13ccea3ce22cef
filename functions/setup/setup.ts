import type { SetupCluster } from "../../lib/edges/kube-setup.ts";
import type { Logger } from "../../lib/log.ts";
import { allSecretNames, type ModelProvider, missingSecrets, type SecretData, type SecretNames } from "./secrets.ts";

export interface SetupDeps {
  readonly cluster: SetupCluster;
  /** Which Secrets are looked for; absent: somebody else makes them. */
  readonly secrets?: SecretNames;
  readonly model: ModelProvider;
  /** Our kinds, as this version has them. */
  readonly kinds: readonly object[];
  readonly now: () => Date;
  readonly log: Logger;
}

/** What an installation needs before its objects come, and each upgrade again. Done twice, it changes nothing. @throws what the edge throws */
export async function setUp({ cluster, secrets, model, kinds, now, log }: SetupDeps): Promise<void> {
  await cluster.restrictNamespace();
  for (const kind of kinds) await cluster.applyKind(kind);
  log.info({ kinds: kinds.length }, "namespace restricted, kinds applied");
  if (!secrets) return;
  const there = new Map<string, SecretData>();
  for (const name of allSecretNames(secrets)) {
    const data = await cluster.readSecret(name);
    if (data) there.set(name, data);
  }
  // One that came meanwhile stays as it is; the next look derives from it.
  for (const { name, data } of await missingSecrets(there, secrets, model, now()))
    log.info({ secret: name, result: await cluster.createSecret(name, data) }, "Secret was missing");
}
