import { ApiException, AuthenticationV1Api, CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { z } from "zod";
import type { AgentDecision } from "../../crd/agentdecision.ts";
import { reviewSchema } from "../../crd/agentworkload.ts";
import { API_VERSION } from "../../crd/fields.ts";
import { statusOf } from "../../lib/edges/kube-calls.ts";

export interface ClusterOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

/** What the commands read of a workload. */
const workloadSchema = z.object({
  metadata: z.object({ namespace: z.string(), name: z.string(), uid: z.string() }),
  status: z.object({ phase: z.string().optional(), reviews: z.array(reviewSchema).default([]) }).optional(),
});
export type SeenWorkload = z.infer<typeof workloadSchema>;

/** A cluster as the user's kubeconfig reaches it. @throws ApiException; Error of the connection, or where there is no kubeconfig */
export interface Cluster {
  readonly namespace: string;
  /** The user's name as the API server knows it. */
  whoAmI(): Promise<string>;
  /** @returns undefined where it is not there */
  workload(name: string): Promise<SeenWorkload | undefined>;
  /** Of the namespace, or of all. */
  workloads(all: boolean): Promise<SeenWorkload[]>;
  decide(workload: SeenWorkload, spec: AgentDecision["spec"]): Promise<void>;
}

const KIND = { group: "agentic.dev", version: "v1alpha1" } as const;
const WORKLOADS = { ...KIND, plural: "agentworkloads" } as const;

export function connectCluster({ namespace, context, kubeconfig }: ClusterOptions): Cluster {
  const config = new KubeConfig();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  if (context !== undefined) {
    if (!config.getContextObject(context)) throw new Error(`the kubeconfig has no context ${context}`);
    config.setCurrentContext(context);
  }
  const own = namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
  const objects = config.makeApiClient(CustomObjectsApi);
  return {
    namespace: own,
    async whoAmI() {
      const { status } = await config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} });
      return status?.userInfo?.username ?? "";
    },
    async workload(name) {
      try {
        return workloadSchema.parse(await objects.getNamespacedCustomObject({ ...WORKLOADS, namespace: own, name }));
      } catch (error) {
        if (error instanceof ApiException && error.code === 404) return undefined;
        throw error;
      }
    },
    async workloads(all) {
      const listed: unknown = all
        ? await objects.listCustomObjectForAllNamespaces({ ...KIND, resourcePlural: WORKLOADS.plural })
        : await objects.listNamespacedCustomObject({ ...WORKLOADS, namespace: own });
      return z.object({ items: z.array(workloadSchema) }).parse(listed).items;
    },
    async decide({ metadata }, spec) {
      const { name, uid } = metadata;
      const body = {
        apiVersion: API_VERSION,
        kind: "AgentDecision",
        metadata: {
          generateName: `${name}-`,
          ownerReferences: [{ apiVersion: API_VERSION, kind: "AgentWorkload", name, uid }],
        },
        spec,
      };
      await objects.createNamespacedCustomObject({ ...KIND, plural: "agentdecisions", namespace: own, body });
    },
  };
}

/** An error in a sentence: what the API server says, where it is from there. */
export function explain(error: unknown): string {
  if (error instanceof ApiException) {
    const { message: said } = statusOf(error);
    return error.code === 404 ? `${said}: is agentic installed in this cluster, in this version?` : said;
  }
  return error instanceof Error ? error.message : String(error);
}
