import { afterEach, expect, test } from "vitest";
import { resyncForFile, SOON } from "../alone/resync.ts";
import { apply, get, kubectl, until } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { NO_IMAGE } from "../tenant.ts";
import {
  asking,
  deleteWorkloads,
  SYSTEM,
  stepOf,
  THREE_SITES,
  untilPhase,
  untilReason,
  workload,
} from "../workload.ts";

const few = { sites: THREE_SITES };

resyncForFile(SOON);
afterEach(deleteWorkloads);

/** Gives the agent an image that no registry has. @returns what undoes it */
async function withoutImage(name: string): Promise<() => Promise<void>> {
  const agent = await get("agents", SYSTEM, name);
  if (!agent) throw new Error(`there is no Agent ${name}`);
  // Changed in place, Knative would go on with the image that works.
  const anew = async (spec: object): Promise<void> => {
    await kubectl(["-n", SYSTEM, "delete", "agent", name, "--timeout=60s"]);
    await until(`the Knative Service of ${name} to be gone`, async () => !(await get("ksvc", SYSTEM, name)));
    await apply({ apiVersion: agent["apiVersion"], kind: "Agent", metadata: { namespace: SYSTEM, name }, spec });
  };
  await anew({ ...agent.spec, image: NO_IMAGE });
  return () => anew(agent.spec);
}

/** Takes a Secret away from pods that start from now on, and ends those that have it. @returns what undoes it */
async function withoutSecret(name: string, of: string): Promise<() => Promise<void>> {
  const secret = await get("secrets", SYSTEM, name);
  if (!secret) throw new Error(`there is no Secret ${name}`);
  await kubectl(["-n", SYSTEM, "delete", "secret", name]);
  await kubectl(["-n", SYSTEM, "delete", "pods", "-l", `serving.knative.dev/service=${of}`]);
  const { labels = {}, ownerReferences = [] } = secret.metadata;
  const metadata = { namespace: SYSTEM, name, labels, ownerReferences };
  return () => apply({ apiVersion: "v1", kind: "Secret", metadata, type: secret["type"], data: secret["data"] });
}

test("for want of its image, or of its Secret, an agent does not start: it is named, and the run heals", async () => {
  const bringBack: (() => Promise<void>)[] = [];
  try {
    bringBack.push(await withoutImage("analyze"));
    await apply(asking("no-image", few));
    await until("its sites to be scraped", async () => {
      const object = await workload(NAMESPACE, "no-image");
      return stepOf(object, "scrape")?.["succeeded"] === THREE_SITES.length;
    });
    bringBack.push(await withoutSecret("agent-scrape", "scrape"));
    await apply(asking("no-secret", few));
    const [image, secret] = await Promise.all([
      untilReason("no-image", "AgentNotReady"),
      untilReason("no-secret", "StepNotTakenUp", "StepUndeliverable"),
    ]);
    expect(image.message).toMatch(/Agent agentic-system\/analyze is not ready \(ImageNotReady: .*localhost:1\/none/s);
    expect(secret.message).toMatch(/agent scrape/);
  } finally {
    for (const undoOne of bringBack) await undoOne();
  }
  await Promise.all(["no-image", "no-secret"].map((name) => untilPhase(NAMESPACE, name, "AwaitingReview")));
});
