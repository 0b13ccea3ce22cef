import { argoEngine } from "../../functions/reconcile/argo/engine.ts";
import type { NodeView } from "../../functions/reconcile/run-engine.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";
import { follow } from "../follow.ts";

/** When what was first seen of one run, in ms of this process's clock, and how often its Workflow was written. */
export interface Seen {
  firstStep?: number;
  analyzeRunning?: number;
  awaitingReview?: number;
  reportRunning?: number;
  workflowWrites: number;
  workflowBytes: number;
}

interface Watched {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly phase?: string };
}

/** Watches the workload and its Workflow in a namespace that holds nothing else. */
export async function watchRun(kubeconfig: string, namespace: string): Promise<{ seen: Seen; stop(): void }> {
  const seen: Seen = { workflowWrites: 0, workflowBytes: 0 };
  const versions = new Set<string>();
  const ofWorkload = ({ status }: Watched): void => {
    if (status?.phase === "AwaitingReview") seen.awaitingReview ??= performance.now();
  };
  const ofWorkflow = (object: KubeObject): void => {
    const at = performance.now();
    versions.add(object.metadata.resourceVersion);
    seen.workflowWrites = versions.size;
    seen.workflowBytes = Math.max(seen.workflowBytes, JSON.stringify(object).length);
    const { nodes } = argoEngine.view({ ...object, metadata: { ...object.metadata, annotations: {} } });
    const running = (step: string) => nodes.some((node: NodeView) => node.step === step && node.phase === "Running");
    if (running("scrape")) seen.firstStep ??= at;
    if (running("analyze")) seen.analyzeRunning ??= at;
    if (running("report")) seen.reportRunning ??= at;
  };
  const stops = await Promise.all([
    follow(kubeconfig, `/apis/agentic.dev/v1alpha1/namespaces/${namespace}/agentworkloads`, ofWorkload),
    follow(kubeconfig, `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/workflows`, ofWorkflow),
  ]);
  return {
    seen,
    stop() {
      for (const stop of stops) stop();
    },
  };
}
