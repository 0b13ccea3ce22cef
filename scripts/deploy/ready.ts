import { setTimeout as sleep } from "node:timers/promises";
import type { Kubectl } from "./kubectl.ts";
import type { Manifest } from "./manifests.ts";

interface Listed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly generation?: number };
  readonly spec?: { readonly replicas?: number };
  readonly status?: {
    readonly observedGeneration?: number;
    readonly readyReplicas?: number;
    readonly updatedReplicas?: number;
    readonly conditions?: readonly {
      readonly type: string;
      readonly status: string;
      readonly observedGeneration?: number;
      readonly reason?: string;
      readonly message?: string;
    }[];
  };
}

/** Kinds that say of themselves whether they are ready, as kubectl names them. */
const WAITED_FOR: Readonly<Record<string, string>> = {
  Deployment: "deployments.apps",
  Service: "services.serving.knative.dev",
  EventPolicy: "eventpolicies.eventing.knative.dev",
  Broker: "brokers.eventing.knative.dev",
  Trigger: "triggers.eventing.knative.dev",
  ApiServerSource: "apiserversources.sources.knative.dev",
  PingSource: "pingsources.sources.knative.dev",
  Agent: "agents.agentic.dev",
  ScaledObject: "scaledobjects.keda.sh",
};

const SHOWN = 4;

/** Waits until those of these that are in the namespace are ready, saying what is still awaited. @throws Error that says what is not, and why */
export async function untilReady(
  kubectl: Kubectl,
  manifests: readonly Manifest[],
  namespace: string,
  { timeoutMs, say }: { timeoutMs: number; say: (line: string) => void },
): Promise<void> {
  const awaited = manifests
    .filter(
      ({ apiVersion, kind, metadata }) =>
        kind in WAITED_FOR && !(kind === "Service" && apiVersion === "v1") && metadata.namespace === namespace,
    )
    .map(({ kind, metadata }) => `${kind}/${metadata.name}`);
  const until = Date.now() + timeoutMs;
  let said = "";
  for (;;) {
    const waiting = await notReady(kubectl, awaited, namespace);
    if (waiting.length === 0) return;
    const names = waiting.map(({ name }) => name);
    const now = `${waiting.length}: ${names.slice(0, SHOWN).join(", ")}${names.length > SHOWN ? ", …" : ""}`;
    if (now !== said) say(`waiting for ${now}`);
    said = now;
    if (Date.now() >= until)
      throw new Error(`not ready in time:\n${waiting.map(({ name, why }) => `  ${name}: ${why}`).join("\n")}`);
    await sleep(1000);
  }
}

async function notReady(
  kubectl: Kubectl,
  names: readonly string[],
  namespace: string,
): Promise<{ name: string; why: string }[]> {
  const kinds = [...new Set(names.map((name) => name.slice(0, name.indexOf("/"))))].map((kind) => WAITED_FOR[kind]);
  const answer = await kubectl(["-n", namespace, "get", kinds.join(","), "-o", "json"]);
  const { items } = JSON.parse(answer) as { items: Listed[] };
  const listed = new Map(items.map((item) => [`${item.kind}/${item.metadata.name}`, item]));
  return names.flatMap((name) => {
    const why = whyNot(listed.get(name));
    return why === undefined ? [] : [{ name, why }];
  });
}

function whyNot(item: Listed | undefined): string | undefined {
  if (!item) return "not there";
  const { metadata, spec, status } = item;
  const seen =
    status?.observedGeneration ?? status?.conditions?.find(({ type }) => type === "Ready")?.observedGeneration;
  // KEDA says of no generation that it has seen it.
  if (!status || (seen ?? metadata.generation) !== metadata.generation) return "not yet looked at by its controller";
  if (item.kind === "Deployment") {
    const wanted = spec?.replicas ?? 1;
    const ready = Math.min(status?.readyReplicas ?? 0, status?.updatedReplicas ?? 0);
    return ready >= wanted ? undefined : `${ready} of ${wanted} pods are ready`;
  }
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  return ready?.status === "True"
    ? undefined
    : [ready?.reason, ready?.message].filter(Boolean).join(": ") || "not ready";
}
