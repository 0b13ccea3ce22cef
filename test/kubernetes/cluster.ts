import { execFile } from "node:child_process";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { KubeConfig } from "@kubernetes/client-node";
import { kubectlAt } from "../../scripts/deploy/kubectl.ts";
import { built } from "../cluster/built.ts";
import { bin, kubeconfig as testKubeconfig } from "../cluster/context.ts";

const { KUBECONFIG } = process.env;

/** The cluster of KUBECONFIG, or the test cluster. */
export const kubectl = KUBECONFIG ? kubectlAt("kubectl", KUBECONFIG) : kubectlAt(bin("kubectl"), testKubeconfig);

/** Argo's own command on a Workflow, by Argo's own code. @throws Error with what it said */
export async function argo(
  namespace: string,
  workflow: string,
  command: "stop" | "terminate" | "suspend" | "resume" | "retry",
): Promise<void> {
  const env = { ...process.env, KUBECONFIG: KUBECONFIG ?? testKubeconfig };
  await promisify(execFile)(join(await built("argo"), "argo"), [namespace, workflow, command], { env });
}

export const config = new KubeConfig();
config.loadFromFile(KUBECONFIG ?? testKubeconfig);

export interface KubeObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly labels?: Record<string, string>;
    readonly deletionTimestamp?: string;
    readonly creationTimestamp: string;
  };
  // biome-ignore lint/suspicious/noExplicitAny: tests look into whatever kind they asked for.
  readonly spec: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly status?: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  readonly [field: string]: any;
}

export async function apply(...objects: object[]): Promise<void> {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  await kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], JSON.stringify(list));
}

/** @returns undefined where it is not there */
export async function get(kind: string, namespace: string, name: string): Promise<KubeObject | undefined> {
  const found = await kubectl(["-n", namespace, "get", kind, name, "-o", "json", "--ignore-not-found"]);
  return found === "" ? undefined : JSON.parse(found);
}

export async function list(kind: string, namespace: string, selector = ""): Promise<KubeObject[]> {
  const where = selector === "" ? [] : ["-l", selector];
  return JSON.parse(await kubectl(["-n", namespace, "get", kind, ...where, "-o", "json"])).items;
}

/** Looks until there is an answer. @throws Error that says what was awaited, and what was seen last */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  { ms = 120_000, every = 200, seen }: { ms?: number; every?: number; seen?: () => unknown } = {},
): Promise<T> {
  const end = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() >= end) {
      const state = seen ? JSON.stringify(await seen(), null, 1) : last instanceof Error ? last.message : "";
      throw new Error(`waited ${ms / 1000} s for ${what}; ${state}`);
    }
    await sleep(every);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** Asks a Service by way of the API server's proxy, as works on any cluster. */
export async function ask(
  service: { readonly namespace: string; readonly name: string; readonly port?: number },
  path: string,
  { method = "GET", headers = {}, body }: { method?: string; headers?: Record<string, string>; body?: string } = {},
): Promise<Answer> {
  const { namespace, name, port = 80 } = service;
  const server = new URL(config.getCurrentCluster()?.server ?? "");
  const options: RequestOptions = {
    host: server.hostname,
    port: server.port,
    method,
    // An API server may stand behind others, told apart by a path.
    path: `${server.pathname.replace(/\/$/, "")}/api/v1/namespaces/${namespace}/services/http:${name}:${port}/proxy${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
  };
  await config.applyToHTTPSOptions(options);
  const asked = request(options).end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

const BROKER = { namespace: "knative-eventing", name: "broker-ingress" };

/** Hands an event to the product's Broker, as anybody in the cluster can. */
export async function sendEvent(event: Record<string, unknown>): Promise<Answer> {
  return ask(BROKER, "/agentic-system/default", {
    method: "POST",
    headers: { "content-type": "application/cloudevents+json" },
    body: JSON.stringify({ specversion: "1.0", source: "/test", datacontenttype: "application/json", ...event }),
  });
}
