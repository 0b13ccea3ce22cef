import { KubeConfig, Watch } from "@kubernetes/client-node";
import { argoEngine } from "../../functions/reconcile/argo/engine.ts";
import type { NodeView } from "../../functions/reconcile/run-engine.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";

/** When what was first seen of one run, in ms of this process's clock, and how often its Workflow was written. */
export interface Seen {
  firstStep?: number;
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
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const watch = new Watch(config);
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
    if (running("report")) seen.reportRunning ??= at;
  };
  const stops = await Promise.all([
    follow(watch, `/apis/agentic.dev/v1alpha1/namespaces/${namespace}/agentworkloads`, ofWorkload),
    follow(watch, `/apis/argoproj.io/v1alpha1/namespaces/${namespace}/workflows`, ofWorkflow),
  ]);
  return {
    seen,
    stop() {
      for (const stop of stops) stop();
    },
  };
}

/** The client ends a watch that is quiet for half a minute; this begins it again. @returns what ends it for good */
async function follow<T>(watch: Watch, path: string, see: (object: T) => void): Promise<() => void> {
  let stopped = false;
  let current: AbortController;
  const begin = async (): Promise<void> => {
    current = await watch.watch(
      path,
      {},
      (_type, object: T) => see(object),
      () => {
        if (!stopped) void begin();
      },
    );
  };
  await begin();
  return () => {
    stopped = true;
    current.abort();
  };
}
