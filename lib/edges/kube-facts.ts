import {
  AppsV1Api,
  CoreV1Api,
  CustomObjectsApi,
  type KubeConfig,
  StorageV1Api,
  VersionApi,
} from "@kubernetes/client-node";
import { z } from "zod";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { outcome } from "./kube-calls.ts";

/** What is read of a cluster before one trusts it. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface FactsClient {
  version(): Promise<string>;
  /** Of these GROUP/VERSION/KIND, those that the API server knows. */
  known(kinds: readonly string[]): Promise<Set<string>>;
  deployments(): Promise<SeenDeployment[]>;
  /** One key of a ConfigMap. */
  setting(namespace: string, name: string, key: string): Promise<string | undefined>;
  hasDefaultStorage(): Promise<boolean>;
  /** Objects of agentic-system that say of themselves whether they are ready; of a kind that is not known, none. */
  conditions(kind: {
    group: string;
    version: string;
    plural: string;
  }): Promise<{ name: string; ready: boolean; why: string }[]>;
}

export interface SeenDeployment {
  readonly namespace: string;
  readonly name: string;
  readonly ready: boolean;
  readonly version: string | undefined;
  readonly env: readonly string[];
}

const conditionedSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string() }),
      status: z
        .object({
          conditions: z
            .array(
              z.object({
                type: z.string(),
                status: z.string(),
                reason: z.string().optional(),
                message: z.string().optional(),
              }),
            )
            .default([]),
        })
        .optional(),
    }),
  ),
});
const DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class";

export function connectFacts(config: KubeConfig): FactsClient {
  const objects = config.makeApiClient(CustomObjectsApi);
  const core = config.makeApiClient(CoreV1Api);
  return {
    version: async () => (await answerOf(config.makeApiClient(VersionApi).getCode()))?.gitVersion ?? "",
    async known(kinds) {
      const versions = [...new Set(kinds.map((kind) => kind.slice(0, kind.lastIndexOf("/"))))];
      const answers = await Promise.all(
        versions.map(async (at) => {
          const [group = "", version = ""] = at.split("/");
          const list = await answerOf(objects.getAPIResources({ group, version }));
          return (list?.resources ?? []).map(({ kind }) => `${at}/${kind}`);
        }),
      );
      const there = new Set(answers.flat());
      return new Set(kinds.filter((kind) => there.has(kind)));
    },
    async deployments() {
      const list = await answerOf(config.makeApiClient(AppsV1Api).listDeploymentForAllNamespaces());
      return (list?.items ?? []).map(({ metadata, spec, status }) => ({
        namespace: metadata?.namespace ?? "",
        name: metadata?.name ?? "",
        ready: (status?.readyReplicas ?? 0) >= (spec?.replicas ?? 1),
        version: metadata?.labels?.["app.kubernetes.io/version"],
        env: (spec?.template.spec?.containers[0]?.env ?? []).map(({ name }) => name),
      }));
    },
    setting: async (namespace, name, key) =>
      (await answerOf(core.readNamespacedConfigMap({ namespace, name })))?.data?.[key],
    async hasDefaultStorage() {
      const list = await answerOf(config.makeApiClient(StorageV1Api).listStorageClass());
      return (list?.items ?? []).some(({ metadata }) => metadata?.annotations?.[DEFAULT_CLASS] === "true");
    },
    async conditions(kind) {
      const list = await answerOf(objects.listNamespacedCustomObject({ ...kind, namespace: SHARED_NAMESPACE }));
      return conditionedSchema.parse(list ?? { items: [] }).items.map(({ metadata, status }) => {
        const ready = status?.conditions.find(({ type }) => type === "Ready");
        const why = ready?.reason ?? ready?.message ?? "not yet looked at";
        return { name: metadata.name, ready: ready?.status === "True", why };
      });
    },
  };
}

async function answerOf<T>(call: Promise<T>): Promise<T | undefined> {
  const found = await outcome(call);
  return "value" in found ? found.value : undefined;
}
