import { AdmissionregistrationV1Api, CoreV1Api, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { TerminalError } from "../errors.ts";
import { kubeConfig, outcome } from "./kube-calls.ts";

/** A webhook's certificate as the cluster keeps it. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface AdmissionConfig {
  readSecret(): Promise<{ data: Readonly<Record<string, string>>; resourceVersion: string }>;
  /** Only where it is as it was read. */
  writeSecret(data: Readonly<Record<string, string>>, resourceVersion: string): Promise<"written" | "conflict">;
  /** Makes the certificates, PEM, those that the API server trusts of each of the webhooks. */
  trust(bundle: string): Promise<void>;
}

export interface AdmissionNames {
  readonly namespace: string;
  /** The Secret. */
  readonly secret: string;
  /** The ValidatingWebhookConfiguration. */
  readonly webhooks: string;
}

export function connectAdmissionConfig({ namespace, secret: name, webhooks }: AdmissionNames): AdmissionConfig {
  const config = kubeConfig();
  const core = config.makeApiClient(CoreV1Api);
  const admission = config.makeApiClient(AdmissionregistrationV1Api);
  const missing = new TerminalError(
    "SecretMissing",
    `there is no Secret ${name} in ${namespace}: apply config/admit.yaml`,
  );
  return {
    async readSecret() {
      const found = await outcome(core.readNamespacedSecret({ namespace, name }));
      if (!("value" in found)) throw missing;
      const entries = Object.entries(found.value.data ?? {});
      return {
        data: Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString()])),
        resourceVersion: found.value.metadata?.resourceVersion ?? "",
      };
    },
    async writeSecret(stringData, resourceVersion) {
      const body = { metadata: { resourceVersion }, stringData };
      const how = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
      const done = await outcome(core.patchNamespacedSecret({ namespace, name, body }, how));
      return "value" in done ? "written" : "conflict";
    },
    async trust(bundle) {
      const caBundle = Buffer.from(bundle).toString("base64");
      const found = await outcome(admission.readValidatingWebhookConfiguration({ name: webhooks }));
      if (!("value" in found)) return;
      const { webhooks: all = [], metadata } = found.value;
      if (all.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
      // By name: the rest of each is as its manifest has it.
      const body = {
        metadata: { resourceVersion: metadata?.resourceVersion },
        webhooks: all.map((webhook) => ({ name: webhook.name, clientConfig: { caBundle } })),
      };
      const how = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
      await outcome(admission.patchValidatingWebhookConfiguration({ name: webhooks, body }, how));
    },
  };
}
