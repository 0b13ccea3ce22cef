import { describe, expect, test } from "vitest";
import { clusterAddresses } from "../../scripts/deploy/cluster-addresses.ts";
import { type Manifest, productManifests } from "../../scripts/deploy/manifests.ts";
import { withClusterAddresses } from "../../scripts/deploy/network-policies.ts";

const ADDRESSES = {
  ranges: ["10.244.0.0/16", "198.51.100.0/24", "203.0.113.9", "2001:db8::/32", "fd00::/8", "not-an-address"],
  apiServer: [{ addresses: ["203.0.113.9", "2001:db8::9"], ports: [6443] }],
};

interface Spec {
  readonly podSelector: object;
  readonly policyTypes: readonly string[];
  readonly ingress?: readonly object[];
  readonly egress: readonly { readonly to?: readonly { ipBlock: { cidr: string; except?: string[] } }[] }[];
}
const policies = productManifests().filter(({ kind }) => kind === "NetworkPolicy");
const named = (name: string): Manifest => {
  const found = policies.find(({ metadata }) => metadata.name === name);
  if (!found) throw new Error(`config/ has no NetworkPolicy ${name}`);
  return found;
};
const specOf = (manifest: Manifest) => manifest["spec"] as Spec;
const filled = (name: string, addresses: Parameters<typeof withClusterAddresses>[1] = ADDRESSES) =>
  specOf(withClusterAddresses(named(name), addresses));

test("everything in the namespace is closed both ways, and each policy says which way it opens", () => {
  expect(specOf(named("closed"))).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] });
  for (const policy of policies) {
    const { policyTypes, ingress, egress } = specOf(policy);
    if (policy.metadata.name === "closed") continue;
    // A direction without rules would be a wall in the wrong place.
    expect([policy.metadata.name, policyTypes]).toEqual([
      policy.metadata.name,
      [...(ingress ? ["Ingress"] : []), ...(egress ? ["Egress"] : [])],
    ]);
  }
});

describe("what make deploy puts into NetworkPolicies", () => {
  test.each(["control", "sources"])("%s: the API server's addresses, and its port", (name) => {
    expect(filled(name).egress).toEqual([
      {
        to: [{ ipBlock: { cidr: "203.0.113.9/32" } }, { ipBlock: { cidr: "2001:db8::9/128" } }],
        ports: [{ protocol: "TCP", port: 6443 }],
      },
    ]);
  });

  test.each([
    ["no address", [{ addresses: [], ports: [6443] }]],
    ["nothing", []],
  ])("where the cluster tells %s of its API server, the policy stays as it is written", (_, apiServer) => {
    expect(filled("control", { ...ADDRESSES, apiServer })).toEqual(specOf(named("control")));
  });

  test.each(["egress-to-internet", "litellm-to-internet"])("%s: without the cluster's own ranges", (name) => {
    const before = specOf(named(name)).egress[0]?.to?.[0]?.ipBlock.except ?? [];
    expect(before).toEqual(expect.arrayContaining(["10.0.0.0/8", "169.254.0.0/16"]));
    expect(filled(name).egress[0]?.to).toEqual([
      { ipBlock: { cidr: "0.0.0.0/0", except: [...before, "10.244.0.0/16", "198.51.100.0/24", "203.0.113.9/32"] } },
      // The API server takes exceptions only of what the block contains.
      { ipBlock: { cidr: "2000::/3", except: ["2001:db8::/32"] } },
    ]);
  });

  test("the ports that a policy opens stay", () => {
    expect(filled("litellm-to-internet").egress).toMatchObject([{ ports: [{ port: 443 }] }]);
  });

  test("all others stay as they are", () => {
    const others = policies.filter(({ metadata }) => !metadata.labels);
    expect(others.length).toBeGreaterThan(10);
    for (const one of [...others, ...productManifests().filter(({ kind }) => kind === "Service")])
      expect(withClusterAddresses(one, ADDRESSES)).toBe(one);
  });
});

test("where the cluster says what its addresses are", async () => {
  const answers: Record<string, object> = {
    nodes: {
      items: [
        {
          spec: { podCIDRs: ["10.244.0.0/24"] },
          status: {
            addresses: [
              { type: "InternalIP", address: "192.0.2.1" },
              { type: "Hostname", address: "one" },
            ],
          },
        },
        { spec: {}, status: {} },
      ],
    },
    servicecidrs: { items: [{ spec: { cidrs: ["10.96.0.0/12"] } }] },
    endpointslices: { items: [{ endpoints: [{ addresses: ["192.0.2.1"] }], ports: [{ port: 6443 }] }, {}] },
  };
  const kubectl = async ([, what = ""]: readonly string[]) => JSON.stringify(answers[what]);
  expect(await clusterAddresses(kubectl)).toEqual({
    ranges: ["10.244.0.0/24", "10.96.0.0/12", "192.0.2.1"],
    apiServer: [
      { addresses: ["192.0.2.1"], ports: [6443] },
      { addresses: [], ports: [] },
    ],
  });
});
