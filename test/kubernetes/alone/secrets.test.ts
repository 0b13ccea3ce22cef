import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { allSecretNames, SECRET_NAMES, type SecretData } from "../../../functions/setup/secrets.ts";
import { createAuthority } from "../../../lib/certificate.ts";
import { codeOf, createS3Client } from "../../../lib/edges/artifacts/s3-client.ts";
import { built } from "../../cluster/built.ts";
import { startVault, stopVault } from "../../cluster/pods/on-demand.ts";
import { render } from "../../helm.ts";
import { createAgents, deleteAgent } from "../agents.ts";
import { apply, get, kubectl, until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { forwardPort } from "../port-forward.ts";
import { askRedis } from "../redis.ts";
import { executionsOf, pipeline, run, strings, testAgent } from "../tenant.ts";
import { analysesBySite, asking, decide, deleteWorkloads, SYSTEM, stepOf, untilPhase, workload } from "../workload.ts";
import { available } from "./deployments.ts";

// The External Secrets Operator and OpenBao, which speaks as Vault does, in the place of the Job that makes Secrets: the chart's own ExternalSecrets, and
// every value of theirs replaced while a run of the shared agents and one of a tenant's own are under way.

const NAME = "rotated";
const ITEMS = Array.from({ length: 60 }, (_, index) => String(index));
const STORE = "openbao";
/** What an administrator keeps in the vault; the other one is put together of them. */
const KEPT = allSecretNames(SECRET_NAMES).filter((name) => name !== "agentic-agent");
const { KUBECONFIG } = process.env;

const bao = (args: string[], input?: string) =>
  kubectl(["-n", "openbao", "exec", "-i", "deployment/openbao", "--", "/usr/local/bin/bao", ...args], input);
const put = (name: string, data: SecretData) =>
  bao(["kv", "put", "-mount=secret", `agentic/${name}`, "-"], JSON.stringify(data));

async function secret(name: string): Promise<SecretData> {
  const found = await get("secrets", SYSTEM, name);
  return Object.fromEntries(
    Object.entries<string>(found?.["data"] ?? {}).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
  );
}
const value = async (name: string, key: string): Promise<string> => (await secret(name))[key] ?? "";

let began = Date.now();
const tell = (what: string) => console.log(`secrets: ${what} after ${((Date.now() - began) / 1000).toFixed(1)} s`);

/** Changes entries of the vault, and waits until each Secret says the same. */
async function change(changes: Readonly<Record<string, SecretData>>): Promise<void> {
  for (const [name, data] of Object.entries(changes)) await put(name, { ...(await secret(name)), ...data });
  for (const [name, data] of Object.entries(changes))
    await until(`${name} to be synced`, async () => {
      const now = await secret(name);
      return Object.entries(data).every(([key, wanted]) => now[key] === wanted);
    });
  tell(`synced: ${Object.keys(changes).join(", ")}`);
}

/** What reconcile gives an agent now. */
const settingOf = async (agent: { namespace: string; name: string }, key: string): Promise<string> => {
  const found = await get("secrets", agent.namespace, `agent-${agent.name}`);
  return Buffer.from(found?.["data"]?.[key] ?? "", "base64").toString();
};
const AGENTS = [
  ...["scrape", "analyze", "report"].map((name) => ({ namespace: SYSTEM, name })),
  { namespace: TENANT, name: NAME },
];
/** Of every agent: it has the setting, in a revision that is ready. */
async function untilAgentsHave(key: string, wanted: (setting: string) => boolean): Promise<void> {
  for (const agent of AGENTS)
    await until(`${agent.name} to be given ${key}`, async () => wanted(await settingOf(agent, key)), { ms: 90_000 });
  for (const { namespace, name } of AGENTS)
    await until(`the new revision of ${name}`, async () => {
      const { metadata, status } = (await get("ksvc", namespace, name)) ?? {};
      const isLatest = status?.latestReadyRevisionName === status?.latestCreatedRevisionName;
      return isLatest && status?.observedGeneration === metadata?.generation;
    });
  tell(`agents have ${key}`);
}

beforeAll(async () => {
  if (KUBECONFIG) throw new Error("this test brings its own operator and vault: run it on the test cluster");
  await built("helm");
  await built("external-secrets");
  await startVault();
  await bao(["auth", "enable", "kubernetes"]).catch(() => undefined);
  await bao(["write", "auth/kubernetes/config", "kubernetes_host=https://kubernetes.default.svc.cluster.local"]);
  await bao(["policy", "write", "agentic", "-"], 'path "secret/data/agentic/*" { capabilities = ["read"] }');
  const bound = ["bound_service_account_names=external-secrets", "bound_service_account_namespaces=external-secrets"];
  await bao(["write", "auth/kubernetes/role/agentic", ...bound, "policies=agentic", "ttl=1h"]);
  for (const name of KEPT) await put(name, await secret(name));
  const serviceAccountRef = { name: "external-secrets", namespace: "external-secrets" };
  const vault = {
    server: "http://openbao.openbao.svc.cluster.local:8200",
    path: "secret",
    version: "v2",
    auth: { kubernetes: { mountPath: "kubernetes", role: "agentic", serviceAccountRef } },
  };
  await apply({
    apiVersion: "external-secrets.io/v1",
    kind: "ClusterSecretStore",
    metadata: { name: STORE },
    spec: { provider: { vault } },
  });
  const rendered = await render([
    "externalSecrets.enabled=true",
    `externalSecrets.store.name="${STORE}"`,
    'externalSecrets.refreshInterval="3s"',
  ]);
  await createAgents(await testAgent(NAME, { STEP_MS: "5000", RANDOM_BYTES: "0" }));
  await apply(...rendered.filter(({ kind }) => kind === "ExternalSecret"));
  const inputs = { schema: { type: "object", properties: { items: strings } } };
  const steps = [
    { name: "wait", agent: NAME, forEach: "inputs.items" },
    { name: "ask", gate: {}, after: ["wait"] },
    { name: "write", agent: NAME, after: ["ask"] },
  ];
  await apply(pipeline(NAME, { inputs, steps }));
});

afterAll(async () => {
  await deleteWorkloads();
  await kubectl(["-n", TENANT, "delete", "agentworkload", NAME, "--ignore-not-found", "--timeout=120s"]);
  await deleteAgent(TENANT, NAME);
  // Secrets stay, which would go with them.
  await kubectl(["-n", SYSTEM, "delete", "externalsecrets", "--all", "--cascade=orphan"]);
  await kubectl(["delete", "clustersecretstore", STORE, "--ignore-not-found"]);
  await stopVault();
  // Its environment has the first password: what asks it in its pod shows that.
  await kubectl(["-n", SYSTEM, "rollout", "restart", "deployment", "redis"]);
  await available(SYSTEM, "redis");
});

test("each Secret comes from the vault, and is as the Job made it", async () => {
  for (const name of allSecretNames(SECRET_NAMES))
    await until(`${name} to be synced`, async () => {
      const external = await get("externalsecrets", SYSTEM, name);
      const ready = external?.status?.conditions?.find(({ type }: { type: string }) => type === "Ready");
      return ready?.reason === "SecretSynced";
    });
  const agent = await secret("agentic-agent");
  expect(agent["AWS_SECRET_ACCESS_KEY"]).toBe(await value("agentic-store", "secretKey"));
  expect(agent["BROWSER_URL"]).toMatch(new RegExp(`^ws://.*token=${await value("agentic-browser", "token")}$`));
  expect(agent["LLM_API_KEY"]).toBe(await value("agentic-litellm", "key"));
  expect(agent["STEP_TOKEN_PUBLIC_KEY"]).toBe(await value("agentic-public-keys", "STEP_TOKEN_PUBLIC_KEY"));
});

const random = () => randomBytes(24).toString("hex");
function keyPair(): { privateKey: string; publicKey: string } {
  return generateKeyPairSync("ed25519", {
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "pem" },
  });
}

/** Whether who trusts `ca` alone is shown a certificate for the name. */
async function isServed(address: string, { host: servername, ca }: { host: string; ca: string }): Promise<boolean> {
  const [host = "", port = ""] = address.split(":");
  const socket = connect({ host, port: Number(port), ca, servername });
  try {
    await once(socket, "secureConnect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

test("every secret is replaced in mid-run: nothing fails, nothing is done twice, and the old ones open nothing", async () => {
  await apply(run(NAME, { pipeline: NAME, inputs: { items: ITEMS } }));
  const done = async () => stepOf(await workload(TENANT, NAME), "wait")?.["succeeded"] ?? 0;
  await until("steps to have ended", async () => (await done()) >= 4);
  began = Date.now();

  const before = Object.fromEntries(
    await Promise.all(KEPT.map(async (name) => [name, await secret(name)] as const)),
  ) as Record<string, SecretData>;
  const old = (name: string, key: string): string => before[name]?.[key] ?? "";
  const [steps, links, evidence] = [keyPair(), keyPair(), keyPair()];
  const authority = await createAuthority("agentic-redis", new Date(), 365 * 24 * 3_600_000);

  // What others verify by: theirs is the first turn.
  await change({
    "agentic-public-keys": {
      STEP_TOKEN_PUBLIC_KEY: old("agentic-public-keys", "STEP_TOKEN_PUBLIC_KEY") + steps.publicKey,
      REVIEW_LINK_PUBLIC_KEY: old("agentic-public-keys", "REVIEW_LINK_PUBLIC_KEY") + links.publicKey,
    },
    "agentic-redis-ca": { "ca.crt": old("agentic-redis-ca", "ca.crt") + authority.certificate },
  });
  await untilAgentsHave("STEP_TOKEN_PUBLIC_KEY", (key) => key.includes(steps.publicKey));
  await untilAgentsHave("REDIS_CA", (ca) => ca.includes(authority.certificate));

  const market = asking(NAME);
  await apply(market);
  await untilPhase(market.metadata.namespace, NAME, "Running");
  const store = { accessKey: randomBytes(10).toString("hex"), secretKey: random() };
  const litellm = `sk-${random()}`;
  const browser = random();
  const redis = { password: random(), agentsPassword: random(), tenantsKey: randomBytes(32).toString("hex") };
  await change({
    "agentic-signing-keys": { STEP_TOKEN_PRIVATE_KEY: steps.privateKey, REVIEW_LINK_PRIVATE_KEY: links.privateKey },
    "agentic-evidence": { EVIDENCE_PRIVATE_KEY: evidence.privateKey, EVIDENCE_PUBLIC_KEY: evidence.publicKey },
    "agentic-egress": { EGRESS_ACCESS_KEY: randomBytes(32).toString("hex") },
    "agentic-redis": redis,
    "agentic-redis-ca": { "ca.key": authority.key },
    "agentic-store": store,
    "agentic-browser": { token: browser },
    "agentic-litellm": { key: litellm },
    "agentic-model": { OPENAI_API_KEY: "another" },
  });
  // Its provider takes both.
  await kubectl(["-n", SYSTEM, "rollout", "restart", "deployment", "litellm"]);
  await untilAgentsHave("LLM_API_KEY", (key) => key === litellm);
  for (const server of ["store", "browserless", "litellm"]) await available(SYSTEM, server);
  tell("servers ask for the new ones");

  for (const [namespace, name, gate] of [
    [TENANT, NAME, "ask"],
    [market.metadata.namespace, NAME, "review"],
  ] as const) {
    await untilPhase(namespace, name, "AwaitingReview");
    tell(`${namespace} waits for its review`);
    await decide(namespace, name, "approved", { gate });
  }
  const own = await untilPhase(TENANT, NAME, "Succeeded");
  const shared = await untilPhase(market.metadata.namespace, NAME, "Succeeded");
  tell("both have ended");
  expect(own.status.items).toMatchObject({ total: ITEMS.length, done: ITEMS.length, failed: 0 });
  expect(shared.status.items).toMatchObject({ total: 10, done: 10, failed: 0 });
  const executions = await executionsOf(own);
  expect(executions.size).toBe(ITEMS.length + 1);
  expect([...executions.values()].filter((count) => count !== 1)).toEqual([]);
  const asked = await analysesBySite(market.spec.inputs.objective);
  // An answer that is on the wire when LiteLLM's pod goes is asked for again: at most those at work in one instance.
  const repeated = [...asked.values()].reduce((sum, count) => sum + count - 1, 0);
  tell(`${repeated} of ${asked.size} analyses were asked for again`);
  expect(asked.size).toBe(10);
  expect(repeated).toBeLessThanOrEqual(8);

  // No run that began before is left, and Redis serves a certificate of the new authority.
  const served = { host: "redis.agentic-system.svc.cluster.local", ca: authority.certificate };
  await until("Redis to serve it", async () =>
    isServed(await forwardPort({ namespace: SYSTEM, name: "redis" }, 6379), served),
  );
  await change({
    "agentic-public-keys": { STEP_TOKEN_PUBLIC_KEY: steps.publicKey, REVIEW_LINK_PUBLIC_KEY: links.publicKey },
    "agentic-redis-ca": { "ca.crt": authority.certificate },
  });
  await untilAgentsHave("STEP_TOKEN_PUBLIC_KEY", (key) => key === steps.publicKey);
  await until("Redis to refuse the old passwords", async () =>
    (await askRedis(`AUTH default ${old("agentic-redis", "password")}`)).includes("WRONGPASS"),
  );
  tell("Redis refuses the old passwords");
  const at = (name: string, port: number) => forwardPort({ namespace: SYSTEM, name }, port);
  const login = { accessKeyId: old("agentic-store", "accessKey"), secretAccessKey: old("agentic-store", "secretKey") };
  const s3 = createS3Client({ endpoint: `http://${await at("store", 7070)}`, region: "us-east-1", ...login });
  expect(codeOf(await s3.send({ method: "GET", path: "agentic-agentic-tests" }))).toBe("InvalidAccessKeyId");
  const headers = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const pool = `http://${await at("browserless", 3000)}/pressure`;
  expect((await fetch(pool, headers(old("agentic-browser", "token")))).status).toBe(401);
  expect((await fetch(pool, headers(browser))).status).toBe(200);
  const models = `http://${await at("litellm", 4000)}/v1/models`;
  expect((await fetch(models, headers(old("agentic-litellm", "key")))).status).toBe(400);
  expect((await fetch(models, headers(litellm))).status).toBe(200);
});
