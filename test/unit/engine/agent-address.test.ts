import { describe, expect, test } from "vitest";
import { agentSchema } from "../../../crd/agent.ts";
import { addressProblems } from "../../../engine/agent-address.ts";

const problemsOf = (spec: object, namespace = "team-a") =>
  addressProblems(
    agentSchema.parse({
      apiVersion: "agentic.dev/v1alpha1",
      kind: "Agent",
      metadata: { namespace, name: "reader" },
      spec,
    }),
    // The API server would take an empty name for all namespaces.
    async (name) => name === "" || ["team-a", "team-b", "agentic-system", "shop"].includes(name),
  );

describe("where an Agent's steps are sent", () => {
  test.each([
    "https://agents.example.com/read",
    "http://9.9.9.9/",
    "http://reader.team-a/",
    "https://agents.shop./",
    "http://reader.team-a.svc/",
    "http://reader.team-a.svc.cluster.local:8080/steps",
    "http://reader.team-a.svc.cluster.local./",
  ])("%s", async (uri) => {
    expect(await problemsOf({ uri })).toEqual([]);
  });

  test.each([
    ["Redis", "http://redis.agentic-system.svc.cluster.local:6379/"],
    ["another tenant's service", "http://reader.team-b.svc/"],
    ["a namespace whose name begins like its own", "http://reader.team-a-b.svc/"],
    ["its own namespace's name in front of another's", "http://team-a.team-b.svc/"],
    ["a name that ends like its own", "http://reader.team-a.svc.cluster.local.team-b.svc/"],
    ["the API server", "https://kubernetes.default.svc/"],
    ["one label", "http://redis/"],
    ["a name that a pod looks up as a service", "http://redis.agentic-system/"],
    ["a name that a pod looks up as a pod's", "http://redis-0.redis.agentic-system/"],
    ["a public name, where a namespace has that of its top level", "https://agents.shop/"],
    ["the node", "http://127.0.0.1:10250/"],
    ["the node in another notation", "http://2130706433/"],
    ["the node, by IPv6", "http://[::1]/"],
    ["a cloud's metadata", "http://169.254.169.254/latest/meta-data/"],
    ["a cloud's metadata, as IPv6", "http://[::ffff:169.254.169.254]/"],
    ["a pod", "http://10.42.0.7:8080/"],
    ["in upper case", "http://REDIS.AGENTIC-SYSTEM.SVC/"],
  ])("not %s", async (_, uri) => {
    expect(await problemsOf({ uri })).toEqual([{ path: ["uri"], message: expect.stringContaining("is private") }]);
    expect(await problemsOf({ uri }, "agentic-system")).toEqual([]);
  });

  test("a Knative Service of its own namespace", async () => {
    expect(await problemsOf({ service: { name: "reader" } })).toEqual([]);
    expect(await problemsOf({ service: { name: "reader", namespace: "team-a" } })).toEqual([]);
    const other = { service: { name: "reader", namespace: "team-b" } };
    expect(await problemsOf(other)).toEqual([
      { path: ["service", "namespace"], message: expect.stringContaining("team-a") },
    ]);
    expect(await problemsOf(other, "agentic-system")).toEqual([]);
  });
});
