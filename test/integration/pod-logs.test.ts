import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { type PodLine, readPodLogs } from "../../lib/edges/pod-logs.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

// What is asked of an API server, and made of its answers. A real one: test/kubernetes/newcomer.test.ts.

const PODS = "/api/v1/namespaces/team-a/pods";
const pod = (name: string, service: string) => ({
  metadata: { name, namespace: "team-a", labels: { "serving.knative.dev/service": service } },
  spec: { containers: [{ name: "queue-proxy" }, { name: "user-container" }] },
});
const failure = (code: number, reason: string) => ({
  code,
  body: JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", reason, message: reason, code }),
});

let folder: string;
let server: http.Server;
let answers: Record<string, { code: number; body: string }>;
const asked: string[] = [];
beforeAll(async () => {
  server = http.createServer((request, response) => {
    const { pathname, search } = new URL(request.url ?? "", "http://api");
    asked.push(`${pathname}${search}`);
    const { code, body } = answers[pathname] ?? failure(404, "NotFound");
    response.writeHead(code, {
      "content-type": pathname.endsWith("/log") && code === 200 ? "text/plain" : "application/json",
    });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  folder = await mkdtemp(join(tmpdir(), "agentic-pod-logs-"));
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true, force: true });
});

async function read(): Promise<PodLine[] | undefined> {
  const file = await writeKubeconfig(folder, (server.address() as AddressInfo).port);
  return readPodLogs(kubeConfig({ file }), "team-a", 60);
}
const listing = (...items: object[]) => ({
  code: 200,
  body: JSON.stringify({ kind: "PodList", apiVersion: "v1", items }),
});

test("the lines of each function's own container, with the pod and the service that wrote them", async () => {
  answers = {
    [PODS]: listing(pod("read-1", "read"), pod("write-1", "write")),
    [`${PODS}/read-1/log`]: { code: 200, body: '{"msg":"a"}\n{"msg":"b"}\n' },
    [`${PODS}/write-1/log`]: { code: 200, body: "" },
  };
  expect(await read()).toEqual([
    { pod: "read-1", service: "read", text: '{"msg":"a"}' },
    { pod: "read-1", service: "read", text: '{"msg":"b"}' },
  ]);
  expect(asked).toContainEqual(expect.stringMatching(/read-1\/log\?.*container=user-container/));
  expect(asked).toContainEqual(expect.stringMatching(/read-1\/log\?.*sinceSeconds=60/));
});

test("a pod that has not started, or is gone, has written nothing", async () => {
  answers = {
    [PODS]: listing(pod("new", "read"), pod("gone", "read"), pod("old", "read")),
    [`${PODS}/new/log`]: failure(400, "BadRequest"),
    [`${PODS}/old/log`]: { code: 200, body: "x\n" },
  };
  expect(await read()).toEqual([{ pod: "old", service: "read", text: "x" }]);
});

test.each([
  ["pods", { [PODS]: failure(403, "Forbidden") }],
  ["their logs", { [PODS]: listing(pod("read-1", "read")), [`${PODS}/read-1/log`]: failure(403, "Forbidden") }],
])("a user who may not read %s gets no list, not an empty one", async (_what, all) => {
  answers = all;
  expect(await read()).toBeUndefined();
});

test("an API server that is away is no user without rights", async () => {
  answers = { [PODS]: failure(500, "InternalError") };
  await expect(read()).rejects.toMatchObject({ reason: "ApiUnavailable" });
});
