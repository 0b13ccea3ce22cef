import { pino } from "pino";
import { expect, test } from "vitest";
import type { AdmitDeps } from "../../../functions/admit/deps.ts";
import { createApp } from "../../../functions/admit/index.ts";

// Asked as the API server asks.

const app = createApp({ log: pino({ level: "silent" }), draining: new AbortController().signal } as AdmitDeps);
const ask = (review: object) => app.request("/convert", { method: "POST", body: JSON.stringify(review) });
const review = (desiredAPIVersion: string, objects: object[]) => ({
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "ConversionReview",
  request: { uid: "asked", desiredAPIVersion, objects },
});
const workload = (name: string, spec: object) => ({
  apiVersion: "agentic.dev/v1alpha1",
  kind: "AgentWorkload",
  metadata: { name, uid: name, finalizers: ["agentic.dev/cleanup"] },
  spec,
  status: { phase: "Running" },
});

test("objects come back in another version, in their order, with their metadata and status", async () => {
  const objects = [workload("a", { replicas: 1 }), workload("b", {})];
  const answer = await ask(review("agentic.dev/v1beta1", objects));
  expect([answer.status, await answer.json()]).toEqual([
    200,
    {
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "ConversionReview",
      response: {
        uid: "asked",
        result: { status: "Success" },
        convertedObjects: objects.map(({ spec, ...rest }) => ({
          ...rest,
          apiVersion: "agentic.dev/v1beta1",
          spec: "replicas" in spec ? { parallelism: 1 } : {},
        })),
      },
    },
  ]);
});

test("one that cannot be converted fails all of them, and says why", async () => {
  const objects = [workload("a", {}), { ...workload("b", {}), apiVersion: "agentic.dev/v0" }];
  const { response } = (await (await ask(review("agentic.dev/v1beta1", objects))).json()) as { response: object };
  expect(response).toEqual({
    uid: "asked",
    result: { status: "Failure", message: expect.stringContaining("cannot convert agentic.dev/v0") },
  });
});

test("what is no ConversionReview is refused", async () => {
  const answer = await ask({ ...review("agentic.dev/v1beta1", []), kind: "AdmissionReview" });
  expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining("ConversionReview")]);
});
