import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { pino } from "pino";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../functions/artifacts/index.ts";
import { createFolderStore } from "../../lib/edges/artifacts/folder.ts";
import { createProxiedStore, type ProxiedStore } from "../../lib/edges/artifacts/kube-proxy.ts";
import { type Artifacts, createArtifactReader, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { createUsageStore } from "../../lib/edges/usage-store.ts";
import { RetryableError } from "../../lib/errors.ts";
import { usageFile } from "../../lib/usage/file.ts";
import { readServed } from "../../lib/usage/served.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

// The function artifacts, and its only reader, with a server between them that stands for the API server's proxy. The real one:
// test/kubernetes/newcomer.test.ts.

const OWNER = { namespace: "team-a", uid: "7d1f3c52-0000-4000-8000-000000000001" };
const SCOPE = `${OWNER.namespace}/${OWNER.uid}`;
const PROXY = "/api/v1/namespaces/agentic-system/services/http:artifacts:80/proxy";

let folder: string;
let store: Artifacts;
let server: Server;
let proxied: ProxiedStore;
/** What the API server answers by itself. */
let own: ((response: ServerResponse) => void) | undefined;
const logged: Record<string, unknown>[] = [];
/** As the API server says of tokens that are their owner's name. */
const whoIs = async (token: string, audience: string) =>
  audience === "agentic-usage" && token !== "forged"
    ? { name: token, uid: undefined, groups: [], extra: {} }
    : undefined;
const appOver = (artifacts: Pick<Artifacts, "get">) =>
  createApp({
    artifacts,
    usage: { usage: createUsageStore(createFolderStore(join(folder, "artifacts"))), permissions: { whoIs } },
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
    draining: new AbortController().signal,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-served-"));
  store = createFolderArtifacts(join(folder, "artifacts"));
  const listener = getRequestListener(appOver(store).fetch);
  server = createServer((request: IncomingMessage, response) => {
    if (own) return own(response);
    const path = request.url ?? "";
    request.url = path.startsWith(PROXY) ? path.slice(PROXY.length) : "/health/liveness";
    void listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxied = createProxiedStore(
    kubeConfig({ file: await writeKubeconfig(folder, (server.address() as AddressInfo).port) }),
  );
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  own = undefined;
  logged.length = 0;
});

describe("bytes by their key", () => {
  test("are what they were, with their size", async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, index) => index % 256);
    const key = await store.put(OWNER, bytes, "pdf");
    expect(await createArtifactReader(proxied).get(OWNER, key)).toEqual(bytes);
    expect(await proxied.size(key)).toBe(70_000);
    expect(logged).toContainEqual(expect.objectContaining({ key, bytes: 70_000, msg: "artifact read" }));
  });

  test("come as no page, and stay in no cache", async () => {
    const key = await store.put(OWNER, "<a href='/x'>x</a>", "html");
    const answer = await appOver(store).request(`/${key}`);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      "content-type": "application/octet-stream",
      "content-disposition": "attachment",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  test.each([
    ["other bytes", `${SCOPE}/${"0".repeat(64)}.txt`],
    ["no digest", `${SCOPE}/all.txt`],
    ["no workload's", `team-a/all/${"0".repeat(64)}.txt`],
  ])("%s: none, and logged", async (_what, key) => {
    expect(await proxied.read(key)).toBeUndefined();
    expect(await proxied.size(key)).toBeUndefined();
    const [namespace, uid] = key.split("/");
    const about = {
      "agentic.workload.namespace": namespace,
      "agentic.workload.uid": uid,
      "agentic.reason": "ArtifactMissing",
    };
    expect(logged).toContainEqual(expect.objectContaining({ audit: true, ...about }));
    expect(JSON.stringify(logged)).not.toContain(key);
  });

  test("of another scope than a workload's are none, though the store has them", async () => {
    const key = await store.put({ namespace: "team-a", uid: "shared" }, "secret", "txt");
    expect(await proxied.read(key)).toBeUndefined();
  });

  test("nothing is listed", async () => {
    await store.put(OWNER, "x", "txt");
    for (const path of ["/", `/${SCOPE}`, `/${SCOPE}/`]) expect((await appOver(store).request(path)).status).toBe(404);
  });

  test("a store that is away is said to be away", async () => {
    const away = { get: () => Promise.reject(new RetryableError("ArtifactStoreUnavailable", "no answer")) };
    const answer = await appOver(away).request(`/${SCOPE}/${"0".repeat(64)}.txt`);
    expect([answer.status, answer.headers.get("agentic-reason")]).toEqual([503, "ArtifactStoreUnavailable"]);
  });
});

describe("what the API server answers by itself", () => {
  const key = `${SCOPE}/${"0".repeat(64)}.txt`;
  test.each<[number, string, RegExp]>([
    [401, "Unauthorized", /log in to the cluster again/],
    [403, "ArtifactsNotServed", /an administrator applies config\/artifacts\.yaml/],
    [404, "ArtifactsNotServed", /answers 404 for the Service artifacts/],
    [405, "ArtifactsNotServed", /proxy answers 405/],
  ])("%i", async (status, reason, words) => {
    own = (response) => void response.writeHead(status).end("{}");
    const read = createArtifactReader(proxied).get(OWNER, key);
    await expect(read).rejects.toMatchObject({ reason, message: expect.stringMatching(words) });
  });

  test("a pod that is not ready for a moment is asked again", async () => {
    const kept = await store.put(OWNER, "report", "txt");
    const statuses = [503, 502, 429];
    own = (response) => {
      void response.writeHead(statuses.shift() ?? 500).end("{}");
      if (statuses.length === 0) own = undefined;
    };
    expect(await createArtifactReader(proxied).get(OWNER, kept)).toEqual(new TextEncoder().encode("report"));
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["no pod", {}, /proxy answers 503 .*: is its pod ready\?/],
    [
      "no store",
      { "agentic-reason": "ArtifactStoreUnavailable" },
      /answers 503 \(ArtifactStoreUnavailable\): see its log/,
    ],
  ])("%s for long is an error that says where to look", { timeout: 30_000 }, async (_what, headers, words) => {
    let asked = 0;
    own = (response) => {
      asked++;
      response.writeHead(503, headers).end("{}");
    };
    const read = createArtifactReader(proxied).get(OWNER, key);
    await expect(read).rejects.toMatchObject({
      reason: "ArtifactStoreUnavailable",
      message: expect.stringMatching(words),
    });
    expect(asked).toBe(6);
  });

  test("other bytes than the key says are not handed on", async () => {
    own = (response) => void response.writeHead(200).end("something else");
    await expect(createArtifactReader(proxied).get(OWNER, key)).rejects.toMatchObject({ reason: "ArtifactCorrupt" });
  });
});

describe("what runs used", () => {
  const TENANT = "system:serviceaccount:team-a:default";
  const ADMIN = "system:serviceaccount:agentic-system:default";
  const get = (path: string, token?: string): Promise<Response> =>
    Promise.resolve(appOver(store).request(path, { headers: token === undefined ? {} : { "agentic-token": token } }));
  const recordOf = (namespace: string) => ({
    version: 1 as const,
    namespace,
    workload: "demo",
    uid: "uid-1",
    part: "run-r1-1",
    run: "r1",
    pipeline: "agentic-system/p",
    ended: "ended" as const,
    month: "2026-11",
    recordedAt: "2026-11-30T23:00:00.000Z",
    items: 3,
    browserMs: 0,
    models: [],
    unsettledNanoUsd: 0,
    reported: { inputTokens: 0, outputTokens: 0, nanoUsd: 0 },
    lacks: [],
    results: { counted: [], models: [] },
  });
  beforeAll(async () => {
    const usage = createUsageStore(createFolderStore(join(folder, "artifacts")));
    for (const namespace of ["team-a", "team-b"]) {
      const record = recordOf(namespace);
      await usage.add(record, record.part, await usageFile(record));
    }
  });

  test.each([
    ["a namespace's own token, of it", TENANT, "?namespace=team-a", ["team-a"]],
    ["the control plane's, of all", ADMIN, "", ["team-a", "team-b"]],
    ["the control plane's, of one", ADMIN, "?namespace=team-b", ["team-b"]],
  ])("is for %s", async (_whose, token, query, namespaces) => {
    const served = readServed((await proxied.text(`usage/2026-11${query}`, { "agentic-token": token })) ?? "");
    expect(served?.files.map((file) => JSON.parse(file).namespace).toSorted()).toEqual(namespaces);
    expect(served?.broken).toEqual([]);
  });

  test.each([
    ["no token", undefined, "?namespace=team-a", 401],
    ["a token that the API server does not know", "forged", "?namespace=team-a", 401],
    ["a token that is none", "x".repeat(9000), "?namespace=team-a", 401],
    ["a tenant, of all", TENANT, "", 403],
    ["a tenant, of another", TENANT, "?namespace=team-b", 403],
    ["a tenant, by a path", TENANT, "?namespace=team-a/../team-b", 403],
    ["a person, who is no service account", "ann", "?namespace=team-a", 403],
    ["a person whose name begins as one", "system:serviceaccount:agentic-system", "", 403],
  ])("is refused to %s, and that is said", async (_who, token, query, status) => {
    const answer = await get(`/usage/2026-11${query}`, token);
    expect([answer.status, answer.headers.get("agentic-reason")]).toEqual([status, "UsageNotYours"]);
    expect(await answer.text()).not.toContain("uid-1");
    expect(logged).toContainEqual(
      expect.objectContaining({ event: "agentic.audit.access.denied", "agentic.reason": "UsageNotYours" }),
    );
  });

  test("is of a month, and of no artifact's key", async () => {
    expect((await get("/usage/2026-13", ADMIN)).status).toBe(400);
    expect((await get("/agentic-system/usage/team-a", ADMIN)).status).toBe(404);
    expect((await get("/agentic-system/usage/team-a/uid-1/run-r1-1.json", ADMIN)).status).toBe(404);
  });

  test("an answer that broke off is none", () => {
    const whole = '{"file":"a"}\n{"broken":"k"}\n{"end":2}\n';
    expect(readServed(whole)).toEqual({ files: ["a"], broken: ["k"] });
    for (const part of ["", '{"file":"a"}\n', '{"file":"a"}\n{"end":2}\n']) expect(readServed(part)).toBeUndefined();
  });
});
