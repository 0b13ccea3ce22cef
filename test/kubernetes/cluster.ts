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
export const kubeconfig = KUBECONFIG ?? testKubeconfig;

/** The user's own for a cluster of theirs. */
export const kubectl = KUBECONFIG ? kubectlAt("kubectl", KUBECONFIG) : kubectlAt(bin("kubectl"), testKubeconfig);

/** Argo's own command on a Workflow, by Argo's own code. @throws Error with what it said */
export async function argo(
  namespace: string,
  workflow: string,
  command: "stop" | "terminate" | "suspend" | "resume" | "retry",
): Promise<void> {
  const env = { ...process.env, KUBECONFIG: kubeconfig };
  await promisify(execFile)(join(await built("argo"), "argo"), [namespace, workflow, command], { env });
}

export const config = new KubeConfig();
config.loadFromFile(kubeconfig);

export interface KubeObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
    readonly labels?: Record<string, string>;
    readonly ownerReferences?: readonly object[];
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

/** What is read, and where the API server has it. A kubectl for each look would take most of two cores. */
const KINDS = {
  agentdecisions: "/apis/agentic.dev/v1alpha1",
  agentpipelines: "/apis/agentic.dev/v1alpha1",
  agents: "/apis/agentic.dev/v1alpha1",
  agentschedules: "/apis/agentic.dev/v1alpha1",
  agentworkloads: "/apis/agentic.dev/v1alpha1",
  configmaps: "/api/v1",
  deployments: "/apis/apps/v1",
  events: "/api/v1",
  inmemorychannels: "/apis/messaging.knative.dev/v1",
  externalsecrets: "/apis/external-secrets.io/v1",
  pods: "/api/v1",
  secrets: "/api/v1",
  serviceaccounts: "/api/v1",
  services: "/api/v1",
  subscriptions: "/apis/messaging.knative.dev/v1",
  triggers: "/apis/eventing.knative.dev/v1",
  // Knative's.
  ksvc: "/apis/serving.knative.dev/v1",
  workflows: "/apis/argoproj.io/v1alpha1",
};
type Kind = keyof typeof KINDS;

const pathOf = (kind: Kind, namespace: string) =>
  `${KINDS[kind]}/namespaces/${namespace}/${kind === "ksvc" ? "services" : kind}`;

/** @returns undefined where it is not there */
export async function get(kind: Kind, namespace: string, name: string): Promise<KubeObject | undefined> {
  const answer = await askApi(`${pathOf(kind, namespace)}/${name}`);
  return answer.status === 404 ? undefined : JSON.parse(bodyOf(answer));
}

export async function list(kind: Kind, namespace: string, selector = ""): Promise<KubeObject[]> {
  const answer = await askApi(`${pathOf(kind, namespace)}?labelSelector=${encodeURIComponent(selector)}`);
  return JSON.parse(bodyOf(answer)).items;
}

function bodyOf({ status, body }: Answer): string {
  if (status !== 200) throw new Error(`the API server answers ${status}: ${body}`);
  return body;
}

/** Looks until there is an answer. @throws Error that says what was awaited, and what was seen last */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  { ms = 300_000, every = 200, seen }: { ms?: number; every?: number; seen?: () => unknown } = {},
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

interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
}

async function askApi(path: string, { method = "GET", headers = {}, body }: Question = {}): Promise<Answer> {
  const server = new URL(config.getCurrentCluster()?.server ?? "");
  const options: RequestOptions = {
    host: server.hostname,
    port: server.port,
    method,
    // An API server may stand behind others, told apart by a path.
    path: `${server.pathname.replace(/\/$/, "")}${path}`,
    headers: { ...headers, ...(body === undefined ? {} : { "content-length": Buffer.byteLength(body) }) },
  };
  await config.applyToHTTPSOptions(options);
  const asked = request(options).end(body);
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

/** Asks a Service by way of the API server's proxy, as works on any cluster. */
export async function ask(
  { namespace, name, port = 80 }: { readonly namespace: string; readonly name: string; readonly port?: number },
  path: string,
  question?: Question,
): Promise<Answer> {
  return askApi(`/api/v1/namespaces/${namespace}/services/http:${name}:${port}/proxy${path}`, question);
}
