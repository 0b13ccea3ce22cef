import { once } from "node:events";
import { connect as connectPlain } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import { afterAll, expect, test } from "vitest";
import { createAuthority } from "../../../lib/certificate.ts";
import { createAgents, deleteAgent } from "../agents.ts";
import { apply, get, kubectl, list, until } from "../cluster.ts";
import { TENANT } from "../namespaces.ts";
import { forwardPort } from "../port-forward.ts";
import { askRedis } from "../redis.ts";
import { executionsOf, pipeline, run, strings, testAgent } from "../tenant.ts";
import { SYSTEM, stepOf, untilPhase, workload } from "../workload.ts";

const NAME = "renewed";
const ITEMS = Array.from({ length: 80 }, (_, index) => String(index));
const SECRET = "agentic-redis-tls";
const SERVED_AS = "redis.agentic-system.svc.cluster.local";

const redis = { namespace: SYSTEM, name: "redis" };
afterAll(async () => {
  await kubectl(["-n", TENANT, "delete", "agentworkload", NAME, "--ignore-not-found", "--timeout=120s"]);
  await deleteAgent(TENANT, NAME);
});

async function keyOf(secret: string, key: string): Promise<string> {
  const found = await get("secrets", SYSTEM, secret);
  return Buffer.from(found?.["data"]?.[key] ?? "", "base64").toString();
}

/** The fingerprint of what Redis serves, as somebody sees it who trusts `ca`. @throws Error as the client says it */
async function servedTo(ca: string): Promise<string> {
  const [host = "", port = ""] = (await forwardPort(redis, 6379)).split(":");
  const socket = connect({ host, port: Number(port), ca, servername: SERVED_AS });
  try {
    await once(socket, "secureConnect");
    return socket.getPeerX509Certificate()?.fingerprint256 ?? "";
  } finally {
    socket.destroy();
  }
}

test("Redis answers nobody without TLS, and is believed by those who know its authority", async () => {
  const [host = "", port = ""] = (await forwardPort(redis, 6379)).split(":");
  const socket = connectPlain({ host, port: Number(port) });
  let answer = "";
  socket.on("data", (data) => {
    answer += data.toString("latin1");
  });
  socket.on("error", () => undefined);
  socket.write("PING\r\n");
  await sleep(1000);
  socket.destroy();
  expect(answer).not.toMatch(/PONG|NOAUTH/);
  const another = await createAuthority("agentic-redis", new Date(), 3_600_000);
  await expect(servedTo(another.certificate)).rejects.toThrow(/certificate/);
  expect(await servedTo(await keyOf("agentic-redis-ca", "ca.crt"))).not.toBe("");
});

test("a certificate that is renewed in mid-run: no step is lost, and none is done twice", async () => {
  const ca = await keyOf("agentic-redis-ca", "ca.crt");
  await createAgents(await testAgent(NAME, { STEP_MS: "6000" }));
  const inputs = { schema: { type: "object", properties: { items: strings } } };
  await apply(pipeline(NAME, { inputs, steps: [{ name: "wait", agent: NAME, forEach: "inputs.items" }] }));
  await apply(run(NAME, { pipeline: NAME, inputs: { items: ITEMS }, replicas: 4 }));
  const done = async () => stepOf(await workload(TENANT, NAME), "wait")?.["succeeded"] ?? 0;
  await until("steps to have ended", async () => (await done()) >= 4);

  const before = await servedTo(ca);
  const certificate = await keyOf(SECRET, "tls.crt");
  await kubectl(["-n", SYSTEM, "patch", "secret", SECRET, "--type=merge", "-p", '{"data":{"tls.crt":null}}']);
  await until("admit to make another", async () => {
    const now = await keyOf(SECRET, "tls.crt");
    return now !== "" && now !== certificate;
  });
  // The kubelet looks at a pod that changes at once, and at others within a minute or so.
  const [pod] = await list("pods", SYSTEM, "app.kubernetes.io/name=redis");
  await kubectl(["-n", SYSTEM, "annotate", "pod", pod?.metadata.name ?? "", "looked-at=now", "--overwrite"]);
  await until("Redis to serve it", async () => (await servedTo(ca)) !== before);
  expect((await list("pods", SYSTEM, "app.kubernetes.io/name=redis"))[0]?.metadata.uid).toBe(pod?.metadata.uid);
  expect(await done()).toBeLessThan(ITEMS.length);
  await askRedis("CLIENT KILL TYPE normal");

  const ended = await untilPhase(TENANT, NAME, "Succeeded");
  expect(ended.status.items).toMatchObject({ total: ITEMS.length, done: ITEMS.length, failed: 0 });
  const executions = await executionsOf(ended);
  expect(executions.size).toBe(ITEMS.length);
  expect([...executions.values()].filter((count) => count !== 1)).toEqual([]);
});
