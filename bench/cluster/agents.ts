import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { apply, kubectl, list, until } from "../../test/kubernetes/cluster.ts";
import { SYSTEM } from "../../test/kubernetes/workload.ts";

const AGENTS = ["scrape", "analyze", "report"];
const CONTROL = ["reconcile", "approve"];

/**
 * market-analysis in a namespace of its own, with agents whose steps take `stepMs` and do nothing else. Names are looked up in the
 * pipeline's namespace first: everything else of the run is as it is installed.
 */
export async function deployWaitingAgents(namespace: string, support: string, stepMs: number): Promise<void> {
  const path = new URL("../../pipelines/market-analysis/pipeline.yaml", import.meta.url);
  const pipeline = parse(readFileSync(path, "utf8"));
  const agents = AGENTS.map((name) => ({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "Agent",
    metadata: { namespace, name },
    spec: {
      image: support,
      // As it is installed; tests have it at debug.
      env: Object.entries({ LOG_LEVEL: "info", STEP_MS: String(stepMs) }).map(([key, value]) => ({ name: key, value })),
      // More than any benchmark has in flight: an instance does no work.
      concurrency: 1000,
      startAhead: name === "scrape",
    },
  }));
  await apply({ ...pipeline, metadata: { ...pipeline.metadata, namespace } }, ...agents);
  const names = AGENTS.map((name) => `agent/${name}`);
  await kubectl(["-n", namespace, "wait", ...names, "--for=condition=Ready", "--timeout=180s"]);
}

/** 1 keeps an instance of each function and agent up. Reconcile renders an Agent's Knative Service anew only when the Agent changes. */
export async function setMinScale(namespace: string, minScale: 0 | 1): Promise<void> {
  const annotations = { "autoscaling.knative.dev/min-scale": String(minScale) };
  const patch = JSON.stringify({ spec: { template: { metadata: { annotations } } } });
  for (const [where, names] of [
    [namespace, AGENTS],
    [SYSTEM, CONTROL],
  ] as const) {
    for (const name of names) await kubectl(["-n", where, "patch", "ksvc", name, "--type=merge", "-p", patch]);
    await kubectl(["-n", where, "wait", "ksvc", ...names, "--for=condition=Ready", "--timeout=120s"]);
  }
}

/**
 * What is installed behaves as outside of tests: control functions do not log at debug, and the installed scrape does not start beside
 * the benchmark's own with each new workload. Deploying again undoes both.
 */
export async function quietInstalled(): Promise<void> {
  const patch = (kind: string, name: string, body: object) =>
    kubectl(["-n", SYSTEM, "patch", kind, name, "--type=merge", "-p", JSON.stringify(body)]);
  await patch("configmap", "agentic-settings", { data: { LOG_LEVEL: "info" } });
  await patch("agent", "scrape", { spec: { startAhead: false } });
}

/** Until no pod of a function or agent is there, nor one that is still ending: that takes half a minute of the kubelet's time. */
export async function untilZero(namespace: string): Promise<void> {
  const none = async () => {
    const pods = await Promise.all(
      [SYSTEM, namespace].map((where) => list("pods", where, "serving.knative.dev/service")),
    );
    return pods.flat().length === 0;
  };
  await until("functions and agents to be at zero", none, { ms: 300_000, every: 1000 });
}
