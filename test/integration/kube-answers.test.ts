import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectKube, type Kube, type KubeObject } from "../../lib/edges/kube.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

// What the client makes of an API server's answers. That they are a real API server's is for the tests on a cluster.

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly type: string | undefined;
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const REF = { namespace: "team-a", name: "demo" };
const asked: Asked[] = [];
let answers: Answer[] = [];
let server: http.Server;
let folder: string;
let kube: Kube;

beforeAll(async () => {
  server = http.createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { pathname, searchParams } = new URL(request.url ?? "", "http://api");
    asked.push({
      method: request.method ?? "",
      path: pathname,
      query: searchParams,
      type: request.headers["content-type"],
      body: text === "" ? undefined : JSON.parse(text),
    });
    const { status, body } = answers.shift() ?? { status: 500, body: "no answer left" };
    response.writeHead(status, { "content-type": "application/json" });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  folder = await mkdtemp(join(tmpdir(), "agentic-kube-"));
  kube = await kubeAt((server.address() as AddressInfo).port);
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  asked.length = 0;
  answers = [];
});

async function all(objects: AsyncIterable<KubeObject>): Promise<KubeObject[]> {
  const found: KubeObject[] = [];
  for await (const object of objects) found.push(object);
  return found;
}

const kubeAt = async (port: number): Promise<Kube> =>
  connectKube(kubeConfig({ file: await writeKubeconfig(folder, port) }));

function objectOf(name: string, resourceVersion = "7"): KubeObject {
  return {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentWorkload",
    metadata: {
      namespace: "team-a",
      name,
      uid: `uid-${name}`,
      resourceVersion,
      creationTimestamp: "2026-01-01T10:00:00Z",
      finalizers: [],
      labels: {},
      annotations: {},
    },
    spec: {},
  };
}

const failure = (status: number, reason: string, message: string): Answer => ({
  status,
  body: { kind: "Status", apiVersion: "v1", status: "Failure", reason, message, code: status },
});

describe("a status", () => {
  test("is put on the version that was read", async () => {
    answers = [{ status: 200, body: objectOf("demo", "8") }];
    expect(await kube.workloads.putStatus(objectOf("demo"), { phase: "Running" })).toBe("written");
    expect(asked).toMatchObject([
      {
        method: "PUT",
        path: "/apis/agentic.dev/v1alpha1/namespaces/team-a/agentworkloads/demo/status",
        body: { metadata: { resourceVersion: "7" }, status: { phase: "Running" } },
      },
    ]);
  });

  test.each<[string, Answer, string]>([
    ["on an old version is a conflict", failure(409, "Conflict", "the object has been modified"), "conflict"],
    ["of an object that is gone is not written", failure(404, "NotFound", "not found"), "gone"],
  ])("%s", async (_what, answer, result) => {
    answers = [answer];
    expect(await kube.workloads.putStatus(objectOf("demo"), {})).toBe(result);
  });
});

describe("a JSON patch", () => {
  const operations = [{ op: "test", path: "/status/nodes/a/phase", value: "Running" }] as const;

  test("is sent as one", async () => {
    answers = [{ status: 200, body: objectOf("demo") }];
    expect(await kube.workflows.patch(REF, operations)).toBe("written");
    expect(asked).toMatchObject([{ method: "PATCH", type: "application/json-patch+json", body: operations }]);
  });

  test("whose test fails is a conflict", async () => {
    answers = [failure(422, "Invalid", "the server rejected our request due to an error in our request")];
    expect(await kube.workflows.patch(REF, operations)).toBe("conflict");
  });

  test("that makes an invalid object is no conflict, which would be tried again", async () => {
    answers = [failure(422, "Invalid", 'Workflow.argoproj.io "demo" is invalid: spec: Required value')];
    await expect(kube.workflows.patch(REF, operations)).rejects.toMatchObject({
      name: "TerminalError",
      reason: "Invalid",
    });
  });
});

test("a merge patch carries the version that it is on", async () => {
  answers = [{ status: 200, body: objectOf("demo") }];
  const body = { metadata: { finalizers: [], resourceVersion: "7" } };
  expect(await kube.workloads.merge(REF, body)).toBe("written");
  expect(asked).toMatchObject([{ type: "application/merge-patch+json", body }]);
});

describe("trouble", () => {
  test.each<[string, Answer, string, string]>([
    ["a server that is busy", failure(429, "TooManyRequests", "try later"), "RetryableError", "ApiUnavailable"],
    ["a server that fails", failure(500, "InternalError", "etcd is away"), "RetryableError", "ApiUnavailable"],
    ["a proxy's page", { status: 502, body: "<html>bad gateway" }, "RetryableError", "ApiUnavailable"],
    ["a right that is missing", failure(403, "Forbidden", "may not"), "TerminalError", "Forbidden"],
  ])("%s", async (_what, answer, name, reason) => {
    answers = [answer];
    await expect(kube.workloads.get(REF)).rejects.toMatchObject({ name, reason });
  });

  test("a server that is not there passes", async () => {
    const nobody = http.createServer();
    await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
    const { port } = nobody.address() as AddressInfo;
    await new Promise((resolve) => nobody.close(resolve));
    const away = await kubeAt(port);
    await expect(away.workloads.get(REF)).rejects.toMatchObject({ name: "RetryableError", reason: "ApiUnavailable" });
  });
});

describe("a kind that is not installed", () => {
  beforeEach(() => {
    answers = [failure(404, "NotFound", "the server could not find the requested resource")];
  });

  test.each<[string, () => Promise<unknown>]>([
    ["list", () => kube.workflows.list({ namespace: "team-a", labelSelector: "a=b" })],
    ["listAll", () => all(kube.workflows.listAll())],
    ["create", () => kube.workflows.create("team-a", {})],
    ["apply", () => kube.workflows.apply(REF, {})],
  ])("is said by its name: %s", async (_what, call) => {
    await expect(call()).rejects.toMatchObject({ reason: "KindMissing", message: expect.stringContaining("Argo") });
  });

  test("has no objects", async () => {
    expect(await kube.workflows.get(REF)).toBeUndefined();
  });
});

test("a list of all namespaces is read to its end, a page at a time", async () => {
  answers = [
    { status: 200, body: { metadata: { continue: "next" }, items: [objectOf("a"), objectOf("b")] } },
    { status: 200, body: { metadata: {}, items: [objectOf("c")] } },
  ];
  const names = (await all(kube.workloads.listAll())).map(({ metadata }) => metadata.name);
  expect(names).toEqual(["a", "b", "c"]);
  expect(asked.map(({ query }) => [Number(query.get("limit")) > 0, query.get("continue")])).toEqual([
    [true, null],
    [true, "next"],
  ]);
});

test("what is created twice is there", async () => {
  answers = [{ status: 201, body: objectOf("demo") }, failure(409, "AlreadyExists", "already exists")];
  expect(await kube.workflows.create("team-a", objectOf("demo"))).toBe("created");
  expect(await kube.workflows.create("team-a", objectOf("demo"))).toBe("exists");
});
