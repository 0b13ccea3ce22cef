import { KubeConfig, Watch } from "@kubernetes/client-node";
import { type NodeView, viewWorkflow } from "../../functions/reconcile/nodes.ts";

/** When what was first seen of one run, in ms of this process's clock, and how often its Workflow was written. */
export interface Seen {
  firstStep?: number;
  awaitingReview?: number;
  reportRunning?: number;
  succeeded?: number;
  workflowWrites: number;
  workflowBytes: number;
}

interface Watched {
  readonly metadata: { readonly name: string };
  readonly status?: { readonly phase?: string };
}

/** Watches the workload and its Workflow in a namespace that holds nothing else. */
export async function watchRun(kubeconfig: string, namespace: string): Promise<{ seen: Seen; stop(): void }> {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const watch = new Watch(config);
  const seen: Seen = { workflowWrites: 0, workflowBytes: 0 };
  const failed = (error: unknown): void => {
    if (error && (error as Error).name !== "AbortError") console.error("watch ended:", error);
  };
  const workloads = await watch.watch(
    `/apis/agentic.dev/v1alpha1/namespaces/${namespace}/agentworkloads`,
    {},
    (_type, object: Watched) => {
      if (object.status?.phase === "AwaitingReview") seen.awaitingReview ??= performance.now();
      if (object.status?.phase === "Succeeded") seen.succeeded ??= performance.now();
    },
    failed,
  );
  const workflows = await watch.watch(
    `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/workflows`,
    {},
    (_type, object) => {
      const at = performance.now();
      seen.workflowWrites++;
      seen.workflowBytes = Math.max(seen.workflowBytes, JSON.stringify(object).length);
      const { nodes } = viewWorkflow(object);
      const running = (step: string) => nodes.some((node: NodeView) => node.step === step && node.phase === "Running");
      if (running("scrape")) seen.firstStep ??= at;
      if (running("report")) seen.reportRunning ??= at;
    },
    failed,
  );
  return {
    seen,
    stop() {
      workloads.abort();
      workflows.abort();
    },
  };
}
