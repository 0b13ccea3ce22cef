import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createAuthority } from "../../functions/admit/certificate.ts";
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
  if (!there.has("agentic-model"))
    made.push(secret("agentic-model", { OPENAI_API_KEY: model.apiKey, OPENAI_API_BASE: model.apiBase }));
  if (!there.has("agentic-redis-ca")) made.push(await redisAuthority());
  if (!there.has("agentic-evidence")) made.push(evidenceKey());
  // These belong together: the last repeats for agents what the others are guarded with.
  if (LOGINS.some((name) => !there.has(name))) made.push(...logins());
  for (const one of made) await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(one));
  return made.map(({ metadata }) => metadata.name);
}

const LOGINS = [
  "agentic-signing-keys",
  "agentic-public-keys",
  "agentic-redis",
  "agentic-store",
  "agentic-browser",
  "agentic-litellm",
  "agentic-agent",
];

/** Keys, passwords and tokens of every part, and the Secret that reconcile hands on to agents by image. */
function logins(): Manifest[] {
  const step = keyPair();
  const review = keyPair();
  const random = (bytes = 24): string => randomBytes(bytes).toString("hex");
  const [password, agentsPassword, tenantsKey, browserToken] = [random(), random(), random(32), random()];
  const [accessKey, secretKey] = [random(10), random()];
  // LiteLLM takes no other form of key.
  const modelKey = `sk-${random()}`;
  const host = (service: string): string => `${service}.${NAMESPACE}.svc.cluster.local`;
  return [
    secret("agentic-redis", { password, agentsPassword, tenantsKey }),
    // The root login of the object store.
    secret("agentic-store", { accessKey, secretKey }),
    secret("agentic-browser", { token: browserToken }),
    secret("agentic-litellm", { key: modelKey }),
    secret("agentic-agent", {
      AWS_ACCESS_KEY_ID: accessKey,
      AWS_SECRET_ACCESS_KEY: secretKey,
      BROWSER_URL: `ws://${host("browserless")}:3000/chromium?token=${browserToken}`,
      LLM_API_KEY: modelKey,
      STEP_TOKEN_PUBLIC_KEY: step.publicKey,
    }),
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

const AUTHORITY_LIFE_MS = 10 * 365 * 24 * 3_600_000;

/** Signs the certificate of Redis, which admit makes and renews. */
async function redisAuthority(): Promise<Manifest> {
  const { certificate, key } = await createAuthority("agentic-redis", new Date(), AUTHORITY_LIFE_MS);
  return secret("agentic-redis-ca", { "ca.crt": certificate, "ca.key": key });
}

/** Signs the evidence of runs. Whoever verifies it is given the public half. */
function evidenceKey(): Manifest {
  const { privateKey, publicKey } = keyPair();
  return secret("agentic-evidence", { EVIDENCE_PRIVATE_KEY: privateKey, EVIDENCE_PUBLIC_KEY: publicKey });
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
