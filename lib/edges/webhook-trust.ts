import {
  AdmissionregistrationV1Api,
  ApiextensionsV1Api,
  type KubeConfig,
  PatchStrategy,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { outcome } from "./kube-calls.ts";

/**
 * Makes the certificates, PEM, those that the API server trusts of each webhook of a ValidatingWebhookConfiguration.
 * @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason
 */
export function connectWebhookTrust(config: KubeConfig, name: string): (bundle: string) => Promise<void> {
  const admission = config.makeApiClient(AdmissionregistrationV1Api);
  return async (bundle) => {
    const caBundle = Buffer.from(bundle).toString("base64");
    const found = await outcome(admission.readValidatingWebhookConfiguration({ name }));
    if (!("value" in found)) return;
    const { webhooks = [], metadata } = found.value;
    if (webhooks.every(({ clientConfig }) => clientConfig.caBundle === caBundle)) return;
    // By name: the rest of each is as its manifest has it.
    const body = {
      metadata: { resourceVersion: metadata?.resourceVersion },
      webhooks: webhooks.map((webhook) => ({ name: webhook.name, clientConfig: { caBundle } })),
    };
    const how = setHeaderOptions("Content-Type", PatchStrategy.StrategicMergePatch);
    await outcome(admission.patchValidatingWebhookConfiguration({ name, body }, how));
  };
}

/**
 * Makes the certificates those that the API server trusts of the conversion webhook of these CustomResourceDefinitions, where they have one.
 * @throws as connectWebhookTrust
 */
export function connectConversionTrust(
  config: KubeConfig,
  names: readonly string[],
): (bundle: string) => Promise<void> {
  const extensions = config.makeApiClient(ApiextensionsV1Api);
  return async (bundle) => {
    const caBundle = Buffer.from(bundle).toString("base64");
    for (const name of names) {
      const found = await outcome(extensions.readCustomResourceDefinition({ name }));
      const clientConfig = "value" in found ? found.value.spec.conversion?.webhook?.clientConfig : undefined;
      if (!clientConfig || clientConfig.caBundle === caBundle) continue;
      const body = { spec: { conversion: { webhook: { clientConfig: { caBundle } } } } };
      const how = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
      await outcome(extensions.patchCustomResourceDefinition({ name, body }, how));
    }
  };
}
