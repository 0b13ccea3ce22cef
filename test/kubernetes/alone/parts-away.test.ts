import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { apply, kubectl, list, until } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { asking, decide, deleteWorkloads, SYSTEM, THREE_SITES, untilPhase, untilReason } from "../workload.ts";
import { available } from "./deployments.ts";
import { resyncForFile, SOON } from "./resync.ts";

const few = { sites: THREE_SITES };

resyncForFile(SOON);
afterEach(deleteWorkloads);

const scale = (namespace: string, deployment: string, replicas: number) =>
  kubectl(["-n", namespace, "scale", "deployment", deployment, `--replicas=${replicas}`]);

/** Takes a part away, waits until the workload says so, and brings it back. */
async function without(namespace: string, deployment: string, meanwhile: () => Promise<void>): Promise<void> {
  await scale(namespace, deployment, 0);
  try {
    await until(`${deployment} to be gone`, async () => {
      const pods = await list("pods", namespace);
      return !pods.some(({ metadata }) => metadata.name.startsWith(`${deployment}-`));
    });
    await meanwhile();
  } finally {
    await scale(namespace, deployment, 1);
    await available(namespace, deployment);
  }
}

describe("parts that are away: the workload says which, and heals", () => {
  test("Redis", async () => {
    const name = "no-redis";
    await without(SYSTEM, "redis", async () => {
      // What starts meanwhile has never seen it.
      await kubectl(["-n", SYSTEM, "delete", "pods", "-l", "serving.knative.dev/service", "--wait=false"]);
      await apply(asking(name, few));
      expect((await untilReason(name, "StoreUnavailable")).message).toMatch(/Redis/);
    });
    await untilPhase(NAMESPACE, name, "AwaitingReview");
  });

  test("the object store", async () => {
    const name = "no-store";
    await apply(asking(name, few));
    await untilPhase(NAMESPACE, name, "AwaitingReview");
    await without(SYSTEM, "store", async () => {
      // What reconcile has read before, it remembers: the next one has to read.
      await kubectl(["-n", SYSTEM, "delete", "pods", "-l", "serving.knative.dev/service=reconcile", "--wait=false"]);
      const { message } = await untilReason(name, "ArtifactStoreUnavailable");
      expect(message).toMatch(/artifact store could not/);
    });
    await untilReason(name, "AwaitingReview");
    await decide(NAMESPACE, name, "approved");
    await untilPhase(NAMESPACE, name, "Succeeded");
  });

  test("the Broker's ingress", async () => {
    const name = "no-broker";
    await apply(asking(name, { ...few, suspend: true }));
    await untilPhase(NAMESPACE, name, "Suspended");
    await without("knative-eventing", "mt-broker-ingress", async () => {
      await apply(asking(name, few));
      await sleep(3000);
    });
    // The event of the change could not be sent: the resync finds it.
    await untilPhase(NAMESPACE, name, "AwaitingReview");
  });

  test("Argo's controller", async () => {
    const name = "no-argo";
    await without("argo", "workflow-controller", async () => {
      await apply(asking(name, few));
      await untilPhase(NAMESPACE, name, "Creating");
      expect((await untilReason(name, "Creating")).message).toMatch(/Argo|created/);
    });
    await untilPhase(NAMESPACE, name, "AwaitingReview");
  });
});
