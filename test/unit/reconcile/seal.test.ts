import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { PIPELINE_ANNOTATION } from "../../../functions/reconcile/argo/names.ts";
import { sealedArgoEngine } from "../../../functions/reconcile/argo/seal.ts";
import type { KubeObject } from "../../../lib/edges/kube.ts";
import { parsedSpec, runFor } from "./given.ts";

// The pipeline that a run froze is read as reconcile wrote it, for the run that it was written for, and not at all otherwise.

const [own, next, other] = [1, 2, 3].map(() => generateKeyPairSync("ed25519"));
if (!own || !next || !other) throw new Error("there are three");
const engine = sealedArgoEngine(own.privateKey, [own.publicKey]);
const run = runFor({});

/** As the API server keeps it. */
function workflow(over: Partial<KubeObject["metadata"]> = {}, by = engine): KubeObject {
  const { metadata, spec } = by.render(run, parsedSpec({})) as KubeObject;
  const kept = { uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T10:00:00Z", finalizers: [] };
  return { spec, status: {}, metadata: { ...kept, ...metadata, ...over } };
}
const { annotations } = workflow().metadata;

test("it is read", () => {
  expect(engine.view(workflow()).pipeline).toEqual(run.pipeline);
});

test.each<[string, Partial<KubeObject["metadata"]>]>([
  ["with another pipeline", { annotations: { ...annotations, [PIPELINE_ANNOTATION]: '{"steps":[]}' } }],
  ["on the Workflow of another run", { name: "demo-0000000000" }],
  ["on the Workflow of another namespace", { namespace: "team-b" }],
  ["sealed by another key", workflow({}, sealedArgoEngine(other.privateKey, [])).metadata],
])("%s it is not", (_what, over) => {
  expect(engine.view(workflow(over)).pipeline).toBeUndefined();
});

test("a run that began before its key was rotated goes on", () => {
  const rotated = sealedArgoEngine(next.privateKey, [next.publicKey, own.publicKey]);
  expect(rotated.view(workflow()).pipeline).toEqual(run.pipeline);
  expect(engine.view(workflow({}, rotated)).pipeline).toBeUndefined();
});
