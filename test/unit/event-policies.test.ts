import { describe, expect, test } from "vitest";
import { REVIEW_REQUESTED } from "../../engine/findings.ts";
import { triggerName } from "../../functions/reconcile/agent/render.ts";
import { RUN_COMPLETED } from "../../functions/reconcile/workload/events.ts";
import { STEP_COMPLETED, STEP_EXPECTED, STEP_REQUESTED } from "../../lib/step-events.ts";
import { USAGE_RECORDED } from "../../lib/usage/event.ts";
import { type Manifest, productManifests } from "../../scripts/deploy/manifests.ts";

// Who may publish to the Broker as installed. That Knative enforces it is for the tests on a cluster.

const manifests = productManifests();
const of = (kind: string, group: string) =>
  manifests.filter(({ apiVersion, kind: own }) => own === kind && apiVersion.startsWith(`${group}/`));

interface Filter {
  readonly any?: readonly Filter[];
  readonly exact?: { readonly type: string };
  readonly prefix?: { readonly type: string };
}
const typesOf = ({ any, exact, prefix }: Filter): string[] => [
  ...(any ?? []).flatMap(typesOf),
  ...(exact ? [exact.type] : []),
  ...(prefix ? [`${prefix.type}*`] : []),
];

interface Spec {
  readonly to: readonly { readonly ref: { readonly kind: string; readonly name: string } }[];
  readonly from: readonly { readonly sub: string }[];
  readonly filters: readonly Filter[];
}
const policies = new Map(of("EventPolicy", "eventing.knative.dev").map((one) => [one.metadata.name, specOf(one)]));
const ACCOUNT = "system:serviceaccount:agentic-system:";

describe("EventPolicies", () => {
  test("each is for the Broker, names its publishers and the types of their events", () => {
    expect(policies.size).toBeGreaterThan(0);
    for (const { to, from, filters } of policies.values()) {
      expect(to).toEqual([{ ref: { apiVersion: "eventing.knative.dev/v1", kind: "Broker", name: "default" } }]);
      expect(from.every(({ sub }) => sub.startsWith(ACCOUNT) && sub.length > ACCOUNT.length + 1)).toBe(true);
      expect(filters.flatMap(typesOf).length).toBeGreaterThan(0);
    }
  });

  test("reconcile sends what it sends, and nothing else", () => {
    expect(policies.get("reconcile")?.from).toEqual([{ sub: `${ACCOUNT}reconcile` }]);
    expect(types("reconcile")).toEqual(
      [REVIEW_REQUESTED, RUN_COMPLETED, STEP_EXPECTED, STEP_REQUESTED, USAGE_RECORDED].toSorted(),
    );
  });

  test("agents send results, by their Triggers", () => {
    const [{ sub } = { sub: "" }, ...others] = policies.get("agents")?.from ?? [];
    expect(others).toEqual([]);
    const account = `${ACCOUNT}${triggerName({ metadata: { namespace: "team-a", name: "mine" } })}`;
    expect(account.startsWith(sub.replace(/\*$/, ""))).toBe(true);
    expect(types("agents")).toEqual([STEP_COMPLETED]);
  });

  test("every source may, by the account that Knative makes for it", () => {
    const accounts = ["ApiServerSource", "PingSource"].flatMap((kind) =>
      of(kind, "sources.knative.dev").map(
        ({ metadata }) => `${ACCOUNT}${metadata.name}-oidc-sources.knative.dev-${kind.toLowerCase()}`,
      ),
    );
    expect(
      policies
        .get("sources")
        ?.from.map(({ sub }) => sub)
        .toSorted(),
    ).toEqual(accounts.toSorted());
    expect(types("sources")).toEqual(["dev.knative.apiserver.ref.*", "dev.knative.sources.ping"]);
  });
});

describe("functions", () => {
  const services = of("Service", "serving.knative.dev");
  const broker = of("Broker", "eventing.knative.dev")[0]?.metadata;

  test("only reconcile has a token for the Broker, and for that Broker only", () => {
    const withToken = services.filter((one) => JSON.stringify(one).includes("serviceAccountToken"));
    expect(withToken.map(({ metadata }) => metadata.name)).toEqual(["reconcile"]);
    const audience = `eventing.knative.dev/broker/${broker?.namespace}/${broker?.name}`;
    expect(JSON.stringify(withToken)).toContain(JSON.stringify({ audience }).slice(1, -1));
  });

  test("only approve, whose pages a reviewer's browser opens, is reached from outside the cluster", () => {
    const outside = services.filter(
      ({ metadata }) => metadata.labels?.["networking.knative.dev/visibility"] !== "cluster-local",
    );
    expect(outside.map(({ metadata }) => metadata.name)).toEqual(["approve"]);
  });
});

function specOf(manifest: Manifest): Spec {
  return manifest["spec"] as Spec;
}

function types(policy: string): string[] {
  return (policies.get(policy)?.filters ?? []).flatMap(typesOf).toSorted();
}
