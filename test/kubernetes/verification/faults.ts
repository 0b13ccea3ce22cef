import fc from "fast-check";
import { kubectl } from "../cluster.ts";
import { SYSTEM } from "../workload.ts";

/** What happens to a cluster while runs go on. */
interface Fault {
  readonly name: string;
  /** How often it is drawn, beside the others. */
  readonly weight: number;
  readonly strike: () => Promise<unknown>;
}

const kill = (namespace: string, selector: string) =>
  kubectl(["-n", namespace, "delete", "pods", "-l", selector, "--force", "--grace-period=0", "--wait=false"]);
const end = (namespace: string, selector: string) =>
  kubectl(["-n", namespace, "delete", "pods", "-l", selector, "--wait=false"]);

/** `agents`: where the agents under test are. */
export function faultsOf(agents: string, agent: string): readonly Fault[] {
  const its = `serving.knative.dev/service=${agent}`;
  const flush = 'REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli FLUSHALL';
  return [
    { name: "agent killed", weight: 4, strike: () => kill(agents, its) },
    { name: "agent ended", weight: 2, strike: () => end(agents, its) },
    { name: "reconcile killed", weight: 4, strike: () => kill(SYSTEM, "serving.knative.dev/service=reconcile") },
    { name: "reconcile ended", weight: 2, strike: () => end(SYSTEM, "serving.knative.dev/service=reconcile") },
    {
      name: "Broker's dispatcher killed",
      weight: 1,
      strike: () => kill("knative-eventing", "messaging.knative.dev/role=dispatcher"),
    },
    { name: "Argo's controller killed", weight: 2, strike: () => kill("argo", "app=workflow-controller") },
    {
      name: "Redis wiped",
      weight: 2,
      strike: () => kubectl(["-n", SYSTEM, "exec", "deployment/redis", "--", "sh", "-c", flush]),
    },
    { name: "Redis killed", weight: 1, strike: () => kill(SYSTEM, "app=redis") },
    { name: "object store killed", weight: 1, strike: () => kill(SYSTEM, "app=store") },
  ];
}

interface Strike {
  readonly fault: Fault;
  /** Before it, in ms. */
  readonly pause: number;
}

/** Faults in the order that a seed draws. */
export function drawStrikes(seed: number, faults: readonly Fault[], count: number): Strike[] {
  const fault = fc.oneof(...faults.map((value) => ({ weight: value.weight, arbitrary: fc.constant(value) })));
  return fc.sample(fc.record({ fault, pause: fc.integer({ min: 2000, max: 8000 }) }), { seed, numRuns: count });
}
