import { canonicalJson } from "../../engine/canonical.ts";
import { ask, type KubeObject, list } from "./cluster.ts";
import { TENANT } from "./namespaces.ts";
import { SYSTEM } from "./workload.ts";

// Agents, pipelines and runs of a tenant's own, by the image that tests bring (test/cluster/support).

/** An image of a registry that is not there. By tag, which Knative looks up at once. */
export const NO_IMAGE = "localhost:1/none:1";

/** The support image, as this cluster has it. */
export async function supportImage(): Promise<string> {
  const deployments = await list("deployments", SYSTEM);
  const inbox = deployments.find(({ metadata }) => metadata.name === "inbox");
  if (!inbox) throw new Error("there is no Deployment inbox: deploy with what the tests need (make deploy-for-tests)");
  return inbox.spec.template.spec.containers[0].image;
}

const REPORT_TO = `http://inbox.${SYSTEM}.svc.cluster.local/`;

/** An agent that reports each execution to the inbox, and leaves bytes that differ each time. */
export async function testAgent(name: string, env: Readonly<Record<string, string>> = {}): Promise<Manifest> {
  const settings = { RANDOM_BYTES: "64", REPORT_TO, ...env };
  return agent(name, {
    image: await supportImage(),
    env: Object.entries(settings).map(([key, value]) => ({ name: key, value })),
  });
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly spec: object;
}

export const agent = (name: string, spec: object): Manifest => objectOf("Agent", name, spec);
export const pipeline = (name: string, spec: object): Manifest => objectOf("AgentPipeline", name, spec);
export const run = (name: string, spec: object): Manifest => objectOf("AgentWorkload", name, spec);

function objectOf(kind: string, name: string, spec: object): Manifest {
  return { apiVersion: "agentic.dev/v1alpha1", kind, metadata: { namespace: TENANT, name }, spec };
}

/** A list of strings. */
export const strings = { type: "array", items: { type: "string" } };

export const schedule = (name: string, spec: object): Manifest => objectOf("AgentSchedule", name, spec);

interface Executed {
  readonly at: string;
  readonly event: {
    readonly type: string;
    readonly data: { readonly uid: string; readonly step: string; readonly item?: unknown; readonly previous?: object };
  };
}

/** What steps of a workload were told of an earlier run, as their agents report it. */
export async function previousOf(uid: string): Promise<object[]> {
  const { body } = await ask({ namespace: SYSTEM, name: "inbox" }, "/events");
  return (JSON.parse(body) as Executed[]).flatMap(({ event: { type, data } }) =>
    type === "test.executed" && data.uid === uid && data.previous ? [data.previous] : [],
  );
}

/** When each step of a workload was begun, as its agents report it: by step and item, in ms. */
export async function executionTimes(uid: string): Promise<Map<string, number[]>> {
  const { body } = await ask({ namespace: SYSTEM, name: "inbox" }, "/events");
  const times = new Map<string, number[]>();
  for (const { at, event } of JSON.parse(body) as Executed[]) {
    if (event.type !== "test.executed" || event.data.uid !== uid) continue;
    const key = executionKey(event.data.step, event.data.item);
    times.set(key, [...(times.get(key) ?? []), Date.parse(at)]);
  }
  return times;
}

/** How often each step of a workload was begun. */
export async function executionsOf({ metadata }: KubeObject): Promise<Map<string, number>> {
  const times = await executionTimes(metadata.uid);
  return new Map([...times].map(([key, all]) => [key, all.length]));
}

export function executionKey(step: string, item?: unknown): string {
  return item === undefined ? step : `${step} ${canonicalJson(item)}`;
}
