import fc from "fast-check";
import { kubectl } from "../cluster.ts";
import { askRedis } from "../redis.ts";
import { SYSTEM } from "../workload.ts";

/** What happens to a cluster while runs go on. */
export interface Fault {
  readonly name: string;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  /** @throws Error where there is nothing to strike: a function at zero, a part that is on its way back */
  readonly strike: () => Promise<void>;
}

/** Pods that run, found by their labels. */
interface Part {
  readonly name: string;
  readonly namespace: string;
  readonly selector: string;
}

export const service = (name: string, namespace = SYSTEM): Part => ({
  name,
  namespace,
  selector: `serving.knative.dev/service=${name}`,
});
const deployment = (name: string): Part => ({
  name,
  namespace: SYSTEM,
  selector: `app.kubernetes.io/name=${name}`,
});
const eventing = (name: string, selector: string): Part => ({ name, namespace: "knative-eventing", selector });

export const REDIS = deployment("redis");
export const STORE = deployment("store");
export const EGRESS = deployment("egress");
export const BROWSERLESS = deployment("browserless");
export const LITELLM = deployment("litellm");
export const DISPATCHER = eventing("Broker's dispatcher", "messaging.knative.dev/role=dispatcher");
export const INGRESS = eventing("Broker's ingress", "eventing.knative.dev/brokerRole=ingress");
export const FILTER = eventing("Broker's filter", "eventing.knative.dev/brokerRole=filter");
export const ARGO: Part = { name: "Argo's controller", namespace: "argo", selector: "app=workflow-controller" };
export const SOURCE: Part = {
  name: "ApiServerSource's adapter",
  namespace: SYSTEM,
  selector: "eventing.knative.dev/source=apiserver-source-controller",
};

export const ACTIVATOR: Part = { name: "Knative's activator", namespace: "knative-serving", selector: "app=activator" };

/** All its pods at once, with no time to drain. */
async function kill(part: Part): Promise<void> {
  await remove(part, ["--force", "--grace-period=0"]);
}

/** All its pods at once; each may drain. */
async function end(part: Part): Promise<void> {
  await remove(part, []);
}

async function remove({ namespace, selector }: Part, how: readonly string[]): Promise<void> {
  const what = [
    "delete",
    "pods",
    "-l",
    selector,
    "--field-selector=status.phase=Running",
    "--wait=false",
    "-o",
    "name",
  ];
  const removed = await kubectl(["-n", namespace, ...what, ...how]);
  if (!removed.includes("pod/")) throw new Error(`no pod of ${selector} runs in ${namespace}`);
}

export async function wipeRedis(): Promise<void> {
  const answer = await askRedis("FLUSHALL");
  if (!answer.includes("OK")) throw new Error(`Redis answers ${answer.trim()}`);
}

export const killed = (part: Part, weight: number): Fault => ({
  name: `${part.name} killed`,
  weight,
  strike: () => kill(part),
});
const ended = (part: Part, weight: number): Fault => ({ name: `${part.name} ended`, weight, strike: () => end(part) });

/** `agent`: the one under test, and where it is. */
export function faultsOf(namespace: string, agent: string): readonly Fault[] {
  return [
    killed(service(agent, namespace), 4),
    ended(service(agent, namespace), 2),
    killed(service("reconcile"), 4),
    ended(service("reconcile"), 2),
    killed(DISPATCHER, 1),
    killed(INGRESS, 1),
    killed(FILTER, 1),
    killed(SOURCE, 1),
    killed(ARGO, 2),
    killed(REDIS, 1),
    { name: "Redis wiped", weight: 2, strike: wipeRedis },
    killed(STORE, 1),
  ];
}

export interface Strike {
  readonly fault: Fault;
  /** Before it, in ms. */
  readonly pause: number;
}

/** Faults in the order that a seed draws, with pauses from `min` to `max` ms. */
export function drawStrikes(
  seed: number,
  faults: readonly Fault[],
  { count, min, max }: { readonly count: number; readonly min: number; readonly max: number },
): Strike[] {
  const fault = fc.oneof(...faults.map((value) => ({ weight: value.weight, arbitrary: fc.constant(value) })));
  return fc.sample(fc.record({ fault, pause: fc.integer({ min, max }) }), { seed, numRuns: count });
}
