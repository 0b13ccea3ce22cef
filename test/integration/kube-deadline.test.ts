import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { connectKube, type Kube } from "../../lib/edges/kube.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { writeKubeconfig } from "./kubeconfig.ts";

const REF = { namespace: "team-a", name: "demo" };
const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** A client of an API server that answers with `listener`. */
async function kubeOf(listener: RequestListener, timeoutMs?: number): Promise<Kube> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => close(server));
  const folder = await mkdtemp(join(tmpdir(), "kube-"));
  cleanups.push(() => rm(folder, { recursive: true }));
  const { port } = server.address() as AddressInfo;
  return connectKube(kubeConfig({ file: await writeKubeconfig(folder, port), timeoutMs }));
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

const object = (name: string) => ({
  metadata: { ...REF, name, uid: name, resourceVersion: "1", creationTimestamp: "2026-01-01T10:00:00Z" },
  spec: {},
});

describe("an API server that accepts and stays silent", () => {
  const calls: Record<string, (kube: Kube) => Promise<unknown>> = {
    get: ({ workloads }) => workloads.get(REF),
    list: ({ workflows }) => workflows.list({ namespace: "team-a", labelSelector: "a=b" }),
    merge: ({ workloads }) => workloads.merge(REF, {}),
    apply: ({ agents }) => agents.apply(REF, {}),
    event: ({ event }) => event({ metadata: { namespace: "team-a" }, involvedObject: {} }),
  };
  const silences: Record<string, RequestListener> = {
    "before its answer": () => undefined,
    "in the middle of its answer": (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write('{"metadata":');
    },
  };
  test.each(Object.keys(silences).flatMap((when) => Object.keys(calls).map((call) => [when, call] as const)))(
    "%s: %s ends with ApiUnavailable",
    async (when, call) => {
      const kube = await kubeOf(silences[when] ?? (() => undefined), 200);
      const began = performance.now();
      await expect(calls[call]?.(kube)).rejects.toMatchObject({ name: "RetryableError", reason: "ApiUnavailable" });
      expect(performance.now() - began).toBeLessThan(5000);
    },
  );
});

describe("a list of all namespaces", () => {
  test("is read a page at a time: the next is asked for when the one before has been worked on", async () => {
    const asked: string[] = [];
    const kube = await kubeOf((request, response) => {
      const { searchParams } = new URL(request.url ?? "", "http://api");
      asked.push(`${searchParams.get("limit")} ${searchParams.get("continue") ?? "first"}`);
      const page = asked.length;
      response.setHeader("content-type", "application/json");
      response.end(
        JSON.stringify({
          metadata: page < 3 ? { continue: `page-${page + 1}` } : {},
          items: [object(`${page}-a`), object(`${page}-b`)],
        }),
      );
    });
    const seen: string[] = [];
    for await (const { metadata } of kube.workloads.listAll()) seen.push(`${metadata.name} after ${asked.length}`);
    expect(asked).toEqual(["200 first", "200 page-2", "200 page-3"]);
    expect(seen).toEqual(["1-a after 1", "1-b after 1", "2-a after 2", "2-b after 2", "3-a after 3", "3-b after 3"]);
  });
});
