import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { sendEvent } from "./broker.ts";
import { apply, ask, get, type KubeObject, kubectl, list, until } from "./cluster.ts";
import { NAMESPACE } from "./namespaces.ts";

export const SYSTEM = "agentic-system";

interface Example {
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: Record<string, unknown> & {
    readonly inputs: { readonly objective: string; readonly sites: readonly string[]; readonly pagesPerSite: number };
  };
}
/** Inputs of market-analysis, and whatever fields of the spec. */
type Changes = Partial<Example["spec"]["inputs"]> & Record<string, unknown>;

/** The ten-site example, one page each, changed as a test needs it. */
export function example(
  namespace: string,
  name: string,
  { objective, sites, pagesPerSite = 1, ...over }: Changes = {},
): Example {
  const path = new URL("../../examples/market-analysis.yaml", import.meta.url);
  const workload = parse(readFileSync(path, "utf8")) as Example;
  const inputs = {
    objective: objective ?? workload.spec.inputs.objective,
    sites: sites ?? workload.spec.inputs.sites,
    pagesPerSite,
  };
  return { ...workload, metadata: { namespace, name }, spec: { ...workload.spec, ...over, inputs } };
}

/** With a question of its own: nothing that another run was answered is used again. */
export const asking = (name: string, over: Changes = {}) =>
  example(NAMESPACE, name, { objective: `${name}, at ${Date.now()}?`, ...over });

/** Sites of the example for a test that needs no more. */
export const THREE_SITES = example("", "").spec.inputs.sites.slice(0, 3);

/** A namespace of a test's own, empty. */
export async function freshNamespace(name: string): Promise<string> {
  await kubectl(["delete", "namespace", name, "--ignore-not-found", "--wait", "--timeout=120s"]);
  await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return name;
}

export const workload = (namespace: string, name: string) => get("agentworkloads", namespace, name);

export async function workflowOf(namespace: string, name: string): Promise<KubeObject | undefined> {
  const found = await list("workflows", namespace, `agentic.dev/workload=${name}`);
  return found.toSorted((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp))[0];
}

/** A safety net: ten times what a run takes here alone, for tests run beside each other on two cores. */
const LONG_MS = 420_000;

/** Waits for a phase, and for nothing that ends otherwise. */
export async function untilPhase(
  namespace: string,
  name: string,
  phase: string,
  { ms = LONG_MS, onPhase }: { ms?: number; onPhase?: (phase: string) => void } = {},
): Promise<KubeObject> {
  return until(
    `${namespace}/${name} to be ${phase}`,
    async () => {
      const object = await workload(namespace, name);
      const now = object?.status?.phase;
      if (now) onPhase?.(now);
      return now === phase ? object : undefined;
    },
    { ms, seen: async () => (await workload(namespace, name))?.status },
  );
}

/** Waits until the workload says why it is not ready. */
export const untilReason = (name: string, ...reasons: string[]) => untilSaid(NAMESPACE, name, ...reasons);

export const untilSaid = (namespace: string, name: string, ...reasons: string[]) =>
  until(
    `${name} to say ${reasons.join(" or ")}`,
    async () => {
      const object = await workload(namespace, name);
      const ready = object && condition(object, "Ready");
      return ready && reasons.includes(ready.reason) ? ready : undefined;
    },
    { ms: LONG_MS, seen: async () => (await workload(namespace, name))?.status?.conditions },
  );

/** All of them, as whoever is done with a test. */
export async function deleteWorkloads(): Promise<void> {
  await kubectl(["-n", NAMESPACE, "delete", "agentworkload", "--all", "--timeout=120s"]);
}

export function condition(object: KubeObject, type: string): { status: string; reason: string; message: string } {
  return object.status?.conditions?.find((one: { type: string }) => one.type === type);
}

interface ReviewRequested {
  readonly event: {
    readonly data: {
      readonly url: string;
      readonly digest: string;
      readonly gate: string;
      readonly workload?: { readonly uid: string };
    };
  };
}

/** The permission to decide, as whoever takes dev.agentic.review.requested gets it: in the link. */
export async function reviewLink(
  namespace: string,
  name: string,
  gate = "review",
): Promise<{ url: URL; token: string; digest: string }> {
  return until(`the request for the review ${gate} of ${namespace}/${name}`, async () => {
    const { body } = await ask({ namespace: SYSTEM, name: "inbox" }, "/events");
    const events = JSON.parse(body) as ReviewRequested[];
    const uid = (await workload(namespace, name))?.metadata.uid;
    const isOfIt = ({ event }: ReviewRequested): boolean =>
      event.data.workload?.uid === uid && event.data.gate === gate;
    const data = events.findLast(isOfIt)?.event.data;
    if (!data) return undefined;
    const url = new URL(data.url);
    return { url, token: url.searchParams.get("token") ?? "", digest: data.digest };
  });
}

/** Decides by CloudEvent on the Broker. Without `gate` it is the one of market-analysis, and the token says which. */
export async function decide(
  namespace: string,
  name: string,
  decision: "approved" | "rejected",
  { gate, comment }: { readonly gate?: string; readonly comment?: string } = {},
): Promise<void> {
  const { token, digest } = await reviewLink(namespace, name, gate);
  await sendEvent({
    id: `${namespace}-${name}-${gate}-${decision}`,
    type: "dev.agentic.review.decided",
    data: {
      namespace,
      name,
      decision,
      digest,
      token,
      ...(gate === undefined ? {} : { gate }),
      ...(comment === undefined ? {} : { comment }),
    },
  });
}

/** The review of a gate as the status says it. */
export function reviewOf(object: KubeObject, gate = "review"): Record<string, unknown> {
  return object.status?.reviews?.find((one: { gate: string }) => one.gate === gate);
}

/** The progress of a step as the status says it. */
export function stepOf(object: KubeObject | undefined, name: string): Record<string, number> {
  return object?.status?.steps?.find((one: { name: string }) => one.name === name);
}

interface Asked {
  readonly purpose: string;
  readonly site?: string;
  readonly objective?: string;
}

/** How often the provider was asked to analyze each site for runs with that question. */
export async function analysesBySite(objective: unknown): Promise<Map<string, number>> {
  const { body } = await ask({ namespace: SYSTEM, name: "openai" }, "/log");
  const counts = new Map<string, number>();
  for (const asked of JSON.parse(body) as Asked[])
    if (asked.purpose === "analyze" && asked.objective === objective && asked.site)
      counts.set(asked.site, (counts.get(asked.site) ?? 0) + 1);
  return counts;
}

/** Pods that are wanted of the functions in agentic-system, by function: one that is ending takes half a minute for it. */
export async function functionPods(): Promise<Map<string, string[]>> {
  const pods = await list("pods", SYSTEM, "serving.knative.dev/service");
  const byFunction = new Map<string, string[]>();
  for (const { metadata } of pods) {
    if (metadata.deletionTimestamp !== undefined) continue;
    const name = metadata.labels?.["serving.knative.dev/service"] ?? "";
    byFunction.set(name, [...(byFunction.get(name) ?? []), metadata.name]);
  }
  return byFunction;
}
