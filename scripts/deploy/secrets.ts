import {
  allSecretNames,
  type ModelProvider,
  missingSecrets,
  SECRET_NAMES,
  type SecretData,
} from "../../functions/setup/secrets.ts";
import type { Kubectl } from "./kubectl.ts";

export const NAMESPACE = "agentic-system";

/** Makes the Secrets that are not there; what is there stays as it is. @returns what was made */
export async function ensureSecrets(kubectl: Kubectl, model: ModelProvider): Promise<string[]> {
  const names = new Set(allSecretNames(SECRET_NAMES));
  const { items } = JSON.parse(await kubectl(["-n", NAMESPACE, "get", "secrets", "-o", "json"])) as {
    items: { metadata: { name: string }; data?: Record<string, string> }[];
  };
  const there = new Map(
    items
      .filter(({ metadata }) => names.has(metadata.name))
      .map(({ metadata, data }) => [metadata.name, decoded(data)]),
  );
  const made = await missingSecrets(there, SECRET_NAMES, model, new Date());
  for (const { name, data } of made) {
    const secret = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NAMESPACE }, stringData: data };
    await kubectl(["create", "-f", "-"], JSON.stringify(secret));
  }
  return made.map(({ name }) => name);
}

function decoded(data: Record<string, string> = {}): SecretData {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]));
}
