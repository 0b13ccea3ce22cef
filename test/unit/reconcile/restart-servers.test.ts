import { expect, test } from "vitest";
import { LOGIN, planRestart, restartServers } from "../../../functions/reconcile/restart-servers.ts";
import type { KindClient, KubeObject } from "../../../lib/edges/kube.ts";
import { createLog } from "../../../lib/log.ts";

const server = (annotations: Record<string, string> = {}): KubeObject => ({
  metadata: {
    name: "store",
    namespace: "agentic-system",
    uid: "u",
    resourceVersion: "7",
    creationTimestamp: "",
    finalizers: [],
    labels: {},
    annotations,
  },
  spec: {},
});
interface Change {
  metadata: { annotations: Record<string, string>; resourceVersion: string };
  spec?: { template: { metadata: { annotations: Record<string, string> } } };
}
const noted = (login: unknown) => (planRestart(server(), login) as Change).metadata.annotations;

test("a server whose login is not noted yet goes on", () => {
  const change = planRestart(server(), ["a", "b"]) as Change;
  expect(change.metadata).toEqual({
    annotations: { [LOGIN]: expect.stringMatching(/^\w{12}$/) },
    resourceVersion: "7",
  });
  expect(change.spec).toBeUndefined();
});

test("nothing is changed where the login is as before", () => {
  expect(planRestart(server(noted(["a", "b"])), ["a", "b"])).toBeUndefined();
});

test("another login starts it anew, on condition that nobody else did", () => {
  const change = planRestart(server(noted(["a", "b"])), ["a", "c"]) as Change;
  expect(change.metadata).toMatchObject({ annotations: noted(["a", "c"]), resourceVersion: "7" });
  expect(change.spec?.template.metadata.annotations).toEqual(noted(["a", "c"]));
  expect(JSON.stringify(change)).not.toContain('"c"');
});

test("one of somebody's own is not looked for twice, and keeps none of the others", async () => {
  const merged: string[] = [];
  const deployments = {
    get: async ({ name }: { name: string }) => (name === "store" ? undefined : server()),
    merge: async ({ name }: { name: string }) => {
      merged.push(name);
      return "conflict";
    },
  } as unknown as KindClient;
  await restartServers({ store: ["a"], litellm: "k" }, { kube: { deployments }, log: createLog("test", "silent") });
  expect(merged).toEqual(["litellm"]);
});
