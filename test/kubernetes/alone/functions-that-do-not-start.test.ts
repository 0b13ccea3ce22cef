import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { apply, get, kubectl } from "../cluster.ts";
import { NAMESPACE } from "../namespaces.ts";
import { asking, deleteWorkloads, SYSTEM, THREE_SITES, untilPhase, untilReason } from "../workload.ts";
import { resync, SOON } from "./resync.ts";

const few = { sites: THREE_SITES };

let undo: () => Promise<void>;
beforeAll(async () => {
  undo = await resync(SOON);
});
afterAll(() => undo());
afterEach(deleteWorkloads);

test("a Secret that is missing: the function that does not start is named, and the run heals", async () => {
  const name = "no-secret";
  const secret = await get("secrets", SYSTEM, "agentic-browser");
  if (!secret) throw new Error("there is no Secret agentic-browser");
  const { namespace, labels } = secret.metadata;
  await kubectl(["-n", SYSTEM, "delete", "secret", "agentic-browser"]);
  try {
    // Those that run have it; the ones in their place do not start.
    await kubectl(["-n", SYSTEM, "delete", "pods", "-l", "serving.knative.dev/service=scrape"]);
    await apply(asking(name, few));
    expect((await untilReason(name, "StepNotTakenUp")).message).toMatch(/function scrape/);
  } finally {
    const metadata = { namespace, name: "agentic-browser", ...(labels ? { labels } : {}) };
    await apply({ apiVersion: "v1", kind: "Secret", metadata, type: secret["type"], data: secret["data"] });
  }
  await untilPhase(NAMESPACE, name, "AwaitingReview");
});

test("an image that does not pull: the function that does not start is named, and the run heals", async () => {
  const name = "no-image";
  const service = await get("ksvc", SYSTEM, "analyze");
  if (!service) throw new Error("there is no function analyze");
  const { metadata, spec } = service;
  // Changed in place, Knative would go on with the image that works.
  const anew = async (template: object): Promise<void> => {
    await kubectl(["-n", SYSTEM, "delete", "ksvc", "analyze", "--timeout=60s"]);
    await apply({
      apiVersion: "serving.knative.dev/v1",
      kind: "Service",
      metadata: { namespace: SYSTEM, name: "analyze", labels: metadata.labels },
      spec: { template },
    });
  };
  const { containers, ...pod } = spec.template.spec;
  const image = `localhost:1/none@sha256:${"0".repeat(64)}`;
  await anew({ ...spec.template, spec: { ...pod, containers: [{ ...containers[0], image }] } });
  try {
    await apply(asking(name, few));
    const said = await untilReason(name, "StepNotTakenUp", "StepUndeliverable");
    expect(said.message).toMatch(/function analyze/);
  } finally {
    await anew(spec.template);
  }
  await untilPhase(NAMESPACE, name, "AwaitingReview");
});
