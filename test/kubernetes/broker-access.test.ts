import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeJwt, decodeProtectedHeader, type JWTPayload, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { authenticatesPublishers } from "../../scripts/deploy/deploy.ts";
import { home } from "../cluster/context.ts";
import { AUDIENCE, publish, tokenOf } from "./broker.ts";
import { apply, ask, get, kubectl, list, until } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { supportImage } from "./tenant.ts";
import { SYSTEM } from "./workload.ts";

// Who may publish to the Broker, and who may not. After each attack the same request passes with the right token.

const authenticated = await authenticatesPublishers(kubectl);

const RECONCILE = { namespace: SYSTEM, name: "reconcile" };
const FOREIGN = { namespace: TENANT, name: "foreigner" };
/** Reconcile's to publish; the inbox has a Trigger for it. */
const REQUESTED = "dev.agentic.review.requested";
const prefix = `attack-${Date.now()}`;

let serial = 0;
const eventOf = (type: string, kind = prefix) => ({ id: `${kind}-${serial++}`, type, data: {} });
const received = async (kind: string): Promise<number> => {
  const { body } = await ask({ namespace: SYSTEM, name: "inbox" }, "/events");
  return JSON.parse(body).filter(({ event }: { event: { id: string } }) => event.id.startsWith(`${kind}-`)).length;
};

let right: string;
let tried = 0;
let passed = 0;

/** One attack; the same request with the right token, or with `rightly`, is taken. */
async function refused(
  status: number,
  token: string | undefined,
  {
    type = REQUESTED,
    to,
    rightly,
    extra = {},
  }: { type?: string; to?: Parameters<typeof publish>[2]; rightly?: string; extra?: object } = {},
): Promise<void> {
  const answer = await publish({ ...eventOf(type), ...extra }, token, to);
  tried++;
  if (answer < 300) passed++;
  expect(answer).toBe(status);
  const control = await publish({ ...eventOf(REQUESTED, `${prefix}right`), ...extra }, rightly ?? right, to);
  expect(control).toBeLessThan(300);
}

describe.skipIf(!authenticated)("publishing to the Broker", () => {
  beforeAll(async () => {
    await apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: FOREIGN });
    right = await tokenOf(RECONCILE, AUDIENCE);
  });
  afterAll(() => kubectl(["-n", TENANT, "delete", "serviceaccount", FOREIGN.name, "--ignore-not-found"]));

  test.each<[string, number, () => Promise<string | undefined>]>([
    ["nobody", 401, async () => undefined],
    ["who brings no token of Kubernetes", 401, async () => "let-me-in"],
    ["another pod, with its own token", 401, () => tokenOf(FOREIGN)],
    ["another pod, with a token for the Broker", 403, () => tokenOf(FOREIGN, AUDIENCE)],
    ["approve, with a token for the Broker", 403, () => tokenOf({ namespace: SYSTEM, name: "approve" }, AUDIENCE)],
    ["reconcile, with a token for the API server", 401, () => tokenOf(RECONCILE)],
    ["reconcile, with a token for another Broker", 401, () => tokenOf(RECONCILE, `${AUDIENCE}-too`)],
    ["reconcile, with a token for Knative's filter", 401, () => tokenOf(RECONCILE, "mt-broker-filter")],
  ])("%s: %d", async (_, status, token) => {
    await refused(status, await token());
  });

  describe("forged", () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const parts = (token: string) => token.split(".") as [string, string, string];

    test("without a signature (alg: none): 401", async () => {
      const { kid } = decodeProtectedHeader(right);
      await refused(401, `${part({ alg: "none", kid })}.${parts(right)[1]}.`);
    });

    test("another's, in which reconcile's name was written: 401", async () => {
      const [header, payload, signature] = parts(await tokenOf(FOREIGN, AUDIENCE));
      const { sub } = decodeJwt(right);
      await refused(401, `${header}.${part({ ...decodeJwt(`${header}.${payload}.${signature}`), sub })}.${signature}`);
    });

    test("signed by somebody else's key, under the name of the API server's: 401", async () => {
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      await refused(401, await signedBy(privateKey, decodeJwt(right)));
    });
  });

  // Only on the cluster of this machine is the API server's key at hand.
  test.skipIf(process.env["KUBECONFIG"])("expired a minute ago: 401", async () => {
    const key = createPrivateKey(await readFile(join(home, "pki", "service-accounts.key")));
    const seconds = Math.floor(Date.now() / 1000);
    const lived = { iat: seconds - 660, nbf: seconds - 660 };
    await refused(401, await signedBy(key, { ...decodeJwt(right), ...lived, exp: seconds - 60 }), {
      rightly: await signedBy(key, { ...decodeJwt(right), ...lived, exp: seconds + 60 }),
    });
  });

  function signedBy(key: KeyObject, payload: JWTPayload): Promise<string> {
    const { alg = "", kid = "" } = decodeProtectedHeader(right);
    return new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(key);
  }

  test.each(["dev.agentic.step.completed", "dev.agentic.review.decided", "dev.knative.apiserver.ref.add"])(
    "reconcile, with %s, which it never sends: 403",
    async (type) => {
      await refused(403, right, { type });
    },
  );

  test("an agent, by the account of its Trigger, with anything but a result: 403", async () => {
    const accounts = await list("serviceaccounts", SYSTEM, "eventing.knative.dev/oidc");
    const names = accounts.map(({ metadata }) => metadata.name).filter((name) => name.startsWith("agent-"));
    expect(names.length).toBeGreaterThan(0);
    const token = await tokenOf({ namespace: SYSTEM, name: names[0] ?? "" }, AUDIENCE);
    for (const type of [REQUESTED, "dev.agentic.step.requested", "dev.agentic.review.decided"])
      await refused(403, token, { type });
    expect(await publish(eventOf("dev.agentic.step.completed", `${prefix}right`), token)).toBe(202);
  });

  describe("past the Broker's ingress", () => {
    test("to its channel: 401, or 403 with a token for it", async () => {
      const audience = "messaging.knative.dev/inmemorychannel/agentic-system/default-kne-trigger";
      const host = "default-kne-trigger-kn-channel.agentic-system.svc.cluster.local";
      const to = { name: "imc-dispatcher", host, path: "/" };
      const ingress = { namespace: "knative-eventing", name: "mt-broker-ingress-oidc" };
      const rightly = await tokenOf(ingress, audience);
      const extra = { knativebrokerttl: "255" };
      await refused(401, undefined, { to, rightly, extra });
      await refused(401, right, { to, rightly, extra });
      await refused(403, await tokenOf(RECONCILE, audience), { to, rightly, extra });
    });

    test("to its filter: 401, or 403 with a token for it", async () => {
      const trigger = await get("triggers", SYSTEM, "inbox");
      const subscription = (await list("subscriptions", SYSTEM)).find(({ metadata }) =>
        metadata.ownerReferences?.some((owner) => "uid" in owner && owner.uid === trigger?.metadata.uid),
      );
      const account = { namespace: SYSTEM, name: subscription?.status.auth.serviceAccountName };
      const to = { name: "broker-filter", path: `/triggers/${SYSTEM}/inbox/${trigger?.metadata.uid}` };
      const audience = "mt-broker-filter";
      const rightly = await tokenOf(account, audience);
      const extra = { knativebrokerttl: "255" };
      await refused(401, undefined, { to, rightly, extra });
      await refused(401, right, { to, rightly, extra });
      await refused(403, await tokenOf(RECONCILE, audience), { to, rightly, extra });
    });
  });

  test("a pod of a tenant, with whatever it can have mounted", async () => {
    const ids = [0, 1, 2].map((one) => `${prefix}-pod-${one}`);
    await apply(await attackingPod(ids));
    const answers = await until("the pod's answers", async () => {
      const log = await kubectl(["-n", TENANT, "logs", "attacker"]);
      return log.includes("]") ? (JSON.parse(log) as number[]) : undefined;
    });
    await kubectl(["-n", TENANT, "delete", "pod", "attacker", "--wait=false"]);
    tried += answers.length;
    passed += answers.filter((status) => status < 300).length;
    expect(answers).toEqual([401, 401, 403]);
  });

  test("none of it has arrived, and all that was right has", async () => {
    // Those of the pod have no right one beside them.
    await until("all that was right", async () => (await received(`${prefix}right`)) >= tried - 3);
    expect(await received(prefix)).toBe(0);
    console.log(`publishing to the Broker: ${tried} tried, ${passed} passed`);
    expect(passed).toBe(0);
  });
});

/** Sends an event without a token, with the token that each pod has, and with one for the Broker; says how each was answered. */
async function attackingPod(ids: readonly string[]): Promise<object> {
  const script = `
    const { readFileSync } = require("node:fs");
    const url = "http://broker-ingress.knative-eventing.svc.cluster.local/agentic-system/default";
    const tokens = ["", "/var/run/secrets/kubernetes.io/serviceaccount/token", "/tokens/token"];
    (async () => {
      const answers = [];
      for (const [index, file] of tokens.entries()) {
        const headers = { "content-type": "application/json", "ce-specversion": "1.0", "ce-source": "/attack",
          "ce-type": "${REQUESTED}", "ce-id": process.env.IDS.split(",")[index],
          ...(file ? { authorization: "Bearer " + readFileSync(file, "utf8") } : {}) };
        answers.push((await fetch(url, { method: "POST", headers, body: "{}" })).status);
      }
      console.log(JSON.stringify(answers));
    })();`;
  const token = { serviceAccountToken: { audience: AUDIENCE, expirationSeconds: 600, path: "token" } };
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: TENANT, name: "attacker" },
    spec: {
      serviceAccountName: FOREIGN.name,
      restartPolicy: "Never",
      containers: [
        {
          name: "attacker",
          image: await supportImage(),
          command: ["node", "-e", script],
          env: [{ name: "IDS", value: ids.join(",") }],
          volumeMounts: [{ name: "tokens", mountPath: "/tokens" }],
        },
      ],
      volumes: [{ name: "tokens", projected: { sources: [token] } }],
    },
  };
}
