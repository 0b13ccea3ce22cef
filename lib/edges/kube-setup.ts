import {
  ApiextensionsV1Api,
  CoreV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
  type V1CustomResourceDefinition,
} from "@kubernetes/client-node";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { connectSecret } from "./kept-secret.ts";
import { outcome } from "./kube-calls.ts";

/** What an installation's own Job does. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface SetupCluster {
  /** As config/00-namespace.yaml has it: each pod without privileges. */
  restrictNamespace(): Promise<void>;
  /** Server-side apply of a CustomResourceDefinition. */
  applyKind(definition: object): Promise<void>;
  /** @returns undefined where it is not there */
  readSecret(name: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** One that is there stays as it is. */
  createSecret(name: string, stringData: Readonly<Record<string, string>>): Promise<"created" | "exists">;
}

const FIELD_MANAGER = "agentic-setup";
const RESTRICTED = {
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/enforce-version": "latest",
};

export function connectSetup(config: KubeConfig): SetupCluster {
  const core = config.makeApiClient(CoreV1Api);
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  const namespace = SHARED_NAMESPACE;
  const typed = (strategy: PatchStrategy) => setHeaderOptions("Content-Type", strategy);
  return {
    async restrictNamespace() {
      const body = { metadata: { labels: RESTRICTED } };
      await outcome(core.patchNamespace({ name: namespace, body }, typed(PatchStrategy.MergePatch)));
    },
    async applyKind(definition) {
      const { metadata } = definition as V1CustomResourceDefinition;
      const what = { name: metadata?.name ?? "", body: definition, fieldManager: FIELD_MANAGER, force: true };
      await outcome(extensions.patchCustomResourceDefinition(what, typed(PatchStrategy.ServerSideApply)));
    },
    readSecret: async (name) => (await connectSecret(config, { namespace, name }).read())?.data,
    async createSecret(name, stringData) {
      const body = { metadata: { name, namespace }, stringData };
      const made = await outcome(core.createNamespacedSecret({ namespace, body }));
      return "value" in made ? "created" : "exists";
    },
  };
}
