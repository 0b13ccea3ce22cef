import { createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { createAuthority } from "../../lib/certificate.ts";
import { TerminalError } from "../../lib/errors.ts";

export type SecretData = Readonly<Record<string, string>>;

export interface NewSecret {
  readonly name: string;
  readonly data: SecretData;
}

/** Of those that are used by reference alone. */
export interface SecretNames {
  readonly redis: string;
  readonly store: string;
  readonly browser: string;
  readonly litellm: string;
  readonly model: string;
}

export const SECRET_NAMES: SecretNames = {
  redis: "agentic-redis",
  store: "agentic-store",
  browser: "agentic-browser",
  litellm: "agentic-litellm",
  model: "agentic-model",
};

/** All that there are to look for. */
export const allSecretNames = ({ redis, store, browser, litellm, model }: SecretNames): string[] => [
  "agentic-signing-keys",
  "agentic-public-keys",
  "agentic-evidence",
  "agentic-egress",
  "agentic-redis-ca",
  redis,
  store,
  browser,
  litellm,
  model,
  "agentic-agent",
];

/** The provider that LiteLLM asks. */
export interface ModelProvider {
  readonly apiKey: string;
  readonly apiBase: string;
}

const AUTHORITY_LIFE_MS = 10 * 365 * 24 * 3_600_000;

/**
 * The Secrets that are missing, in the order in which they are to be made: whoever dies between two leaves what the next can go on from, for
 * what repeats another is derived from it. @throws TerminalError SecretsDisagree, SecretIncomplete where that cannot be
 */
export async function missingSecrets(
  there: ReadonlyMap<string, SecretData>,
  names: SecretNames,
  model: ModelProvider,
  now: Date,
): Promise<NewSecret[]> {
  const made: NewSecret[] = [];
  const ensure = (name: string, make: () => SecretData): SecretData => {
    const found = there.get(name);
    if (found) return found;
    const data = make();
    made.push({ name, data });
    return data;
  };
  const agent = there.get("agentic-agent");
  const signing = ensure("agentic-signing-keys", () => {
    refuseLostKeys(there);
    return { STEP_TOKEN_PRIVATE_KEY: keyPair().privateKey, REVIEW_LINK_PRIVATE_KEY: keyPair().privateKey };
  });
  const publicKeys = ensure("agentic-public-keys", () => ({
    STEP_TOKEN_PUBLIC_KEY: publicHalf(part("agentic-signing-keys", signing, "STEP_TOKEN_PRIVATE_KEY")),
    REVIEW_LINK_PUBLIC_KEY: publicHalf(part("agentic-signing-keys", signing, "REVIEW_LINK_PRIVATE_KEY")),
  }));
  ensure("agentic-evidence", () => {
    const { privateKey, publicKey } = keyPair();
    return { EVIDENCE_PRIVATE_KEY: privateKey, EVIDENCE_PUBLIC_KEY: publicKey };
  });
  ensure("agentic-egress", () => ({ EGRESS_ACCESS_KEY: random(32) }));
  if (!there.has("agentic-redis-ca")) {
    const { certificate, key } = await createAuthority("agentic-redis", now, AUTHORITY_LIFE_MS);
    made.push({ name: "agentic-redis-ca", data: { "ca.crt": certificate, "ca.key": key } });
  }
  ensure(names.redis, () => ({ password: random(), agentsPassword: random(), tenantsKey: random(32) }));
  // The root login of the object store.
  const store = ensure(names.store, () => ({
    accessKey: agent?.["AWS_ACCESS_KEY_ID"] ?? random(10),
    secretKey: agent?.["AWS_SECRET_ACCESS_KEY"] ?? random(),
  }));
  const browser = ensure(names.browser, () => ({ token: tokenOf(agent?.["BROWSER_URL"]) ?? random() }));
  // LiteLLM takes no other form of key.
  const litellm = ensure(names.litellm, () => ({ key: agent?.["LLM_API_KEY"] ?? `sk-${random()}` }));
  ensure(names.model, () => ({ OPENAI_API_KEY: model.apiKey, OPENAI_API_BASE: model.apiBase }));
  // What reconcile hands on to agents by image repeats what the others are guarded with.
  ensure("agentic-agent", () => ({
    AWS_ACCESS_KEY_ID: part(names.store, store, "accessKey"),
    AWS_SECRET_ACCESS_KEY: part(names.store, store, "secretKey"),
    BROWSER_URL: `ws://browserless.${SHARED_NAMESPACE}.svc.cluster.local:3000/chromium?token=${part(names.browser, browser, "token")}`,
    LLM_API_KEY: part(names.litellm, litellm, "key"),
    STEP_TOKEN_PUBLIC_KEY: part("agentic-public-keys", publicKeys, "STEP_TOKEN_PUBLIC_KEY"),
  }));
  return made;
}

/** New keys beside their predecessors' public halves would sign what nobody takes. */
function refuseLostKeys(there: ReadonlyMap<string, SecretData>): void {
  const left = ["agentic-public-keys", "agentic-agent"].filter((name) => there.has(name));
  if (left.length > 0)
    throw new TerminalError(
      "SecretsDisagree",
      `the Secret agentic-signing-keys is missing, and public halves of its keys are in ${left.join(" and ")}: restore it, or delete ${left.join(" and ")} as well, upon which runs under way say UnreadableRun`,
    );
}

function part(name: string, data: SecretData, key: string): string {
  const value = data[key];
  if (!value)
    throw new TerminalError(
      "SecretIncomplete",
      `the Secret ${name} has no ${key}: add it (docs/deploy.md lists the keys)`,
    );
  return value;
}

function tokenOf(browserUrl: string | undefined): string | undefined {
  return (browserUrl && URL.parse(browserUrl)?.searchParams.get("token")) || undefined;
}

const random = (bytes = 24): string => randomBytes(bytes).toString("hex");

function keyPair(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}

const publicHalf = (privateKey: string): string =>
  createPublicKey(privateKey).export({ type: "spki", format: "pem" }).toString();
