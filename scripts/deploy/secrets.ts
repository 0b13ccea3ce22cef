import { generateKeyPairSync, randomBytes } from "node:crypto";
import type { Kubectl } from "./kubectl.ts";
import type { Manifest } from "./manifests.ts";

export const NAMESPACE = "agentic-system";

/** Makes the Secrets that are not there; what is there stays as it is. `model`: the provider that LiteLLM asks. @returns what was made */
export async function ensureSecrets(
  kubectl: Kubectl,
  model: { readonly apiKey: string; readonly apiBase: string },
): Promise<string[]> {
  const listed = await kubectl(["-n", NAMESPACE, "get", "secrets", "-o", "jsonpath={.items[*].metadata.name}"]);
  const there = new Set(listed.split(" "));
  const made: Manifest[] = [];
  // The two belong together: functions trust what reconcile signs.
  if (!there.has("agentic-signing-keys") || !there.has("agentic-public-keys")) made.push(...signingKeys());
  const others = [
    secret("agentic-redis", { password: randomBytes(24).toString("hex") }),
    secret("agentic-browser", { token: randomBytes(24).toString("hex") }),
    // What the functions show to LiteLLM; it takes no other form of key.
    secret("agentic-litellm", { key: `sk-${randomBytes(24).toString("hex")}` }),
    secret("agentic-model", { OPENAI_API_KEY: model.apiKey, OPENAI_API_BASE: model.apiBase }),
  ];
  made.push(...others.filter(({ metadata }) => !there.has(metadata.name)));
  for (const one of made) await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(one));
  return made.map(({ metadata }) => metadata.name);
}

function signingKeys(): Manifest[] {
  const step = keyPair();
  const review = keyPair();
  return [
    secret("agentic-signing-keys", {
      STEP_TOKEN_PRIVATE_KEY: step.privateKey,
      REVIEW_LINK_PRIVATE_KEY: review.privateKey,
    }),
    secret("agentic-public-keys", {
      STEP_TOKEN_PUBLIC_KEY: step.publicKey,
      REVIEW_LINK_PUBLIC_KEY: review.publicKey,
    }),
  ];
}

function keyPair(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}

function secret(name: string, stringData: Record<string, string>): Manifest {
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: NAMESPACE }, stringData };
}
