import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { apply, ask, get, type KubeObject, kubectl, list, sendEvent, until } from "./cluster.ts";

export const SYSTEM = "agentic-system";

/** The ten-site example, changed as a test needs it. */
export function example(
  namespace: string,
  name: string,
  over: Record<string, unknown> = {},
): { metadata: { namespace: string; name: string }; spec: Record<string, unknown> & { sites: string[] } } {
  const path = new URL("../../examples/market-analysis.yaml", import.meta.url);
  const workload = parse(readFileSync(path, "utf8"));
  return { ...workload, metadata: { namespace, name }, spec: { ...workload.spec, ...over } };
}

/** A namespace of a test's own, empty. */
export async function freshNamespace(name: string): Promise<string> {
  await kubectl(["delete", "namespace", name, "--ignore-not-found", "--wait", "--timeout=120s"]);
  await apply({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return name;
}

export const workload = (namespace: string, name: string) => get("agentworkload", namespace, name);

export async function workflowOf(namespace: string, name: string): Promise<KubeObject | undefined> {
  const found = await list("workflows.argoproj.io", namespace, `agentic.dev/workload=${name}`);
  return found.toSorted((a, b) => b.metadata.creationTimestamp.localeCompare(a.metadata.creationTimestamp))[0];
}

/** Waits for a phase, and for nothing that ends otherwise. */
export async function untilPhase(
  namespace: string,
  name: string,
  phase: string,
  { ms = 240_000, onPhase }: { ms?: number; onPhase?: (phase: string) => void } = {},
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

export function condition(object: KubeObject, type: string): { status: string; reason: string; message: string } {
  return object.status?.conditions?.find((one: { type: string }) => one.type === type);
}

/** The permission to decide, as whoever takes dev.agentic.review.requested gets it: in the link. */
export async function reviewLink(
  namespace: string,
  name: string,
): Promise<{ url: URL; token: string; digest: string }> {
  return until(`the request for a review of ${namespace}/${name}`, async () => {
    const { body } = await ask({ namespace: SYSTEM, name: "inbox" }, "/events");
    const events = JSON.parse(body) as { event: { subject: string; data: { url: string; digest: string } } }[];
    const data = events.findLast(({ event }) => event.subject === `${namespace}/${name}`)?.event.data;
    if (!data) return undefined;
    const url = new URL(data.url);
    return { url, token: url.searchParams.get("token") ?? "", digest: data.digest };
  });
}

/** Decides by CloudEvent on the Broker. */
export async function decide(
  namespace: string,
  name: string,
  decision: "approved" | "rejected",
  comment?: string,
): Promise<void> {
  const { token, digest } = await reviewLink(namespace, name);
  await sendEvent({
    id: `${namespace}-${name}-${decision}`,
    type: "dev.agentic.review.decided",
    data: { namespace, name, decision, digest, token, ...(comment ? { comment } : {}) },
  });
}

/** How often the provider was asked to analyze each site. */
export async function analysesBySite(): Promise<Map<string, number>> {
  const { body } = await ask({ namespace: SYSTEM, name: "openai" }, "/log");
  const counts = new Map<string, number>();
  for (const { purpose, site } of JSON.parse(body) as { purpose: string; site?: string }[])
    if (purpose === "analyze" && site) counts.set(site, (counts.get(site) ?? 0) + 1);
  return counts;
}

/** Pods of the functions that are wanted, by function: one that is ending takes half a minute for it. */
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
