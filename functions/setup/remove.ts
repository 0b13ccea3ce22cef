import { setTimeout as sleep } from "node:timers/promises";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { KindClient, Kube } from "../../lib/edges/kube.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";

export interface RemoveDeps {
  readonly kube: Pick<Kube, "agents" | "services" | "triggers">;
  readonly log: Logger;
  /** How long one object may take to go. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 120_000;
const LOOK_MS = 500;
/** Helm puts it on what is in a release. */
const OF_RELEASE = "app.kubernetes.io/managed-by=Helm";

/**
 * What must go before the rest of the installation does: Agents while reconcile is there to take their Triggers away; then reconcile, which would make
 * others; then each Trigger, one after the other, for Knative Eventing keeps a subscriber of those that go together (docs/adr/0018).
 * @throws TerminalError StillThere
 */
export async function remove({ kube, log, patienceMs = PATIENCE_MS }: RemoveDeps): Promise<void> {
  const namespace = SHARED_NAMESPACE;
  const agents = await kube.agents.list({ namespace, labelSelector: OF_RELEASE });
  for (const { metadata } of agents) await kube.agents.remove({ namespace, name: metadata.name });
  for (const { metadata } of agents) await gone("Agent", kube.agents, metadata.name, patienceMs);
  await kube.services.remove({ namespace, name: "reconcile" }, "Foreground");
  await gone("Knative Service", kube.services, "reconcile", patienceMs);
  const triggers = await kube.triggers.list({ namespace });
  for (const { metadata } of triggers) {
    await kube.triggers.remove({ namespace, name: metadata.name }, "Foreground");
    await gone("Trigger", kube.triggers, metadata.name, patienceMs);
  }
  log.info({ agents: agents.length, triggers: triggers.length }, "Agents, reconcile and Triggers are gone");
}

async function gone(kind: string, client: KindClient, name: string, patienceMs: number): Promise<void> {
  for (let left = patienceMs; await client.get({ namespace: SHARED_NAMESPACE, name }); left -= LOOK_MS) {
    if (left <= 0)
      throw new TerminalError(
        "StillThere",
        `the ${kind} ${name} does not go: 'kubectl -n ${SHARED_NAMESPACE} describe' it, and uninstall again, or with --no-hooks, which leaves what it holds`,
      );
    await sleep(LOOK_MS);
  }
}
