import { afterEach, expect, test } from "vitest";
import { apply, get, kubectl, until } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { asking, deleteWorkloads, SYSTEM, THREE_SITES, untilPhase, untilReason, workload } from "../workload.ts";
import { resyncForFile, SOON } from "./resync.ts";

const few = { sites: THREE_SITES };

resyncForFile(SOON);
afterEach(deleteWorkloads);

/** Gives the function an image that no registry has. @returns what undoes it */
async function withoutImage(name: string): Promise<() => Promise<void>> {
  const service = await get("ksvc", SYSTEM, name);
  if (!service) throw new Error(`there is no function ${name}`);
  const { template } = service.spec;
  // Changed in place, Knative would go on with the image that works.
  const anew = async (changed: object): Promise<void> => {
    await kubectl(["-n", SYSTEM, "delete", "ksvc", name, "--timeout=60s"]);
    await apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { namespace: SYSTEM, name, labels: service.metadata.labels },
      spec: { template: changed },
    });
  };
  const { containers, ...pod } = template.spec;
  const image = `localhost:1/none@sha256:${"0".repeat(64)}`;
  await anew({ ...template, spec: { ...pod, containers: [{ ...containers[0], image }] } });
  return () => anew(template);
}

/** Takes a Secret away from functions that start from now on, and ends the one that has it. @returns what undoes it */
async function withoutSecret(name: string, of: string): Promise<() => Promise<void>> {
  const secret = await get("secrets", SYSTEM, name);
  if (!secret) throw new Error(`there is no Secret ${name}`);
  await kubectl(["-n", SYSTEM, "delete", "secret", name]);
  await kubectl(["-n", SYSTEM, "delete", "pods", "-l", `serving.knative.dev/service=${of}`]);
  const { labels = {} } = secret.metadata;
  const metadata = { namespace: SYSTEM, name, labels };
  return () => apply({ apiVersion: "v1", kind: "Secret", metadata, type: secret["type"], data: secret["data"] });
}

test("for want of its image, or of a Secret, a function does not start: it is named, and the run heals", async () => {
  const bringBack: (() => Promise<void>)[] = [];
  try {
    bringBack.push(await withoutImage("analyze"));
    await apply(asking("no-image", few));
    await until("its sites to be scraped", async () => {
      const object = await workload(NAMESPACE, "no-image");
      return object?.status?.sites?.scraped === THREE_SITES.length;
    });
    bringBack.push(await withoutSecret("agentic-browser", "scrape"));
    await apply(asking("no-secret", few));
    const [image, secret] = await Promise.all([
      untilReason("no-image", "StepNotTakenUp", "StepUndeliverable"),
      untilReason("no-secret", "StepNotTakenUp"),
    ]);
    expect(image.message).toMatch(/function analyze/);
    expect(secret.message).toMatch(/function scrape/);
  } finally {
    for (const undoOne of bringBack) await undoOne();
  }
  await Promise.all(["no-image", "no-secret"].map((name) => untilPhase(NAMESPACE, name, "AwaitingReview")));
});
