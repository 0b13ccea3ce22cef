import { AuthenticationV1Api } from "@kubernetes/client-node";
import type { AgentDecision } from "../../crd/agentdecision.ts";
import { type AgentWorkload, agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { API_VERSION } from "../../crd/fields.ts";
import type { RunEngine, RunView } from "../../functions/reconcile/run-engine.ts";
import { connectKube, type KubeObject } from "../../lib/edges/kube.ts";
import { kubeConfig, outcome } from "../../lib/edges/kube-calls.ts";
import { TerminalError } from "../../lib/errors.ts";

export interface ClusterOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

export type SeenWorkload = AgentWorkload & { readonly metadata: { readonly uid: string } };

/** A cluster as the user's kubeconfig reaches it. @throws as the edge does; Error where there is no kubeconfig */
export interface Cluster {
  readonly namespace: string;
  /** The user's name as the API server knows it. */
  whoAmI(): Promise<string>;
  /** @returns undefined where it is not there */
  workload(name: string): Promise<SeenWorkload | undefined>;
  /** Of the namespace, or of all. */
  workloads(all: boolean): Promise<SeenWorkload[]>;
  /** A run by the name of its object. @returns undefined where it is not there, or not the user's to read */
  run(name: string): Promise<RunView | undefined>;
  suspend(name: string, held: boolean): Promise<void>;
  decide(workload: SeenWorkload, spec: AgentDecision["spec"]): Promise<void>;
}

export function connectCluster(
  { namespace, context, kubeconfig }: ClusterOptions,
  engine: Pick<RunEngine, "view">,
): Cluster {
  const config = kubeConfig({ file: kubeconfig, context });
  const kube = connectKube(config);
  const own = namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
  return {
    namespace: own,
    async whoAmI() {
      const asked = await outcome(config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} }));
      return ("value" in asked && asked.value.status?.userInfo?.username) || "";
    },
    async workload(name) {
      const object = await kube.workloads.get({ namespace: own, name });
      return object && seen(object);
    },
    async workloads(all) {
      if (!all) return (await kube.workloads.list({ namespace: own })).map(seen);
      const everywhere: SeenWorkload[] = [];
      for await (const object of kube.workloads.listAll()) everywhere.push(seen(object));
      return everywhere;
    },
    async run(name) {
      const object = await kube.workflows.get({ namespace: own, name }).catch((error: unknown) => {
        if (error instanceof TerminalError && error.reason === "Forbidden") return undefined;
        throw error;
      });
      return object && engine.view(object);
    },
    async suspend(name, held) {
      await kube.workloads.merge({ namespace: own, name }, { spec: { suspend: held } });
    },
    async decide({ metadata }, spec) {
      const { name, uid } = metadata;
      await kube.decisions.create(own, {
        apiVersion: API_VERSION,
        kind: "AgentDecision",
        metadata: {
          generateName: `${name}-`,
          ownerReferences: [{ apiVersion: API_VERSION, kind: "AgentWorkload", name, uid }],
        },
        spec,
      });
    },
  };
}

function seen({ metadata, spec, status, ...rest }: KubeObject): SeenWorkload {
  const { namespace, name, uid, generation } = metadata;
  const { apiVersion, kind } = rest as Record<string, unknown>;
  const workload = agentWorkloadSchema.parse({
    apiVersion: apiVersion ?? API_VERSION,
    kind: kind ?? "AgentWorkload",
    metadata: { namespace, name, uid, generation },
    spec,
    status,
  });
  return { ...workload, metadata: { ...workload.metadata, uid } };
}
