import type { Demand } from "./demand.ts";
import type { Load, Station } from "./simulate.ts";

/** What was measured. */
export interface Model {
  readonly demands: readonly Demand[];
  /** A run's own turn, for each step of an item. */
  readonly turnMs: number;
  readonly stepMs: number;
  readonly stepsOfItem: number;
  /** Of the machine that it was measured on. */
  readonly cores: number;
}

/** Cores that a group of parts has; parts that no group names share the rest, `others`. */
type Installation = Readonly<Record<string, { readonly cores: number; readonly parts: readonly RegExp[] }>>;

const API = [/apiserver/, /^etcd/];
const ARGO = [/workflow-controller/];
const RECONCILE = [/^reconcile$/];
const BROKER = [/broker|imc|dispatcher|ingress|filter|activator|queue|kourier|envoy|gateway|eventing|adapter|ping/];
const STORES = [/^redis$/, /^store$/];

/**
 * How parts are spread. Node runs a process of reconcile on one core, so its cores are its instances; the API server, Argo's controller
 * and the Broker's parts are Go and take what cores there are.
 */
export const INSTALLATIONS: Readonly<Record<string, Installation>> = {
  "one node, 2 cores": { others: { cores: 2, parts: [] } },
  "one node, 8 cores": { reconcile: { cores: 2, parts: RECONCILE }, others: { cores: 8, parts: [] } },
  "three nodes, 4 cores each": {
    "API server": { cores: 4, parts: API },
    reconcile: { cores: 2, parts: RECONCILE },
    Argo: { cores: 2, parts: ARGO },
    others: { cores: 4, parts: [] },
  },
  "parts apart, 8 cores each, 4 instances of reconcile": {
    "API server": { cores: 8, parts: API },
    reconcile: { cores: 4, parts: RECONCILE },
    Argo: { cores: 8, parts: ARGO },
    Broker: { cores: 8, parts: BROKER },
    stores: { cores: 8, parts: STORES },
    others: { cores: 8, parts: [] },
  },
  "the same, 16 instances of reconcile": {
    "API server": { cores: 8, parts: API },
    reconcile: { cores: 16, parts: RECONCILE },
    Argo: { cores: 8, parts: ARGO },
    Broker: { cores: 8, parts: BROKER },
    stores: { cores: 8, parts: STORES },
    others: { cores: 8, parts: [] },
  },
};

/** The stations of an installation; `one node` is the machine that was measured. Pure. */
export function stationsOf({ demands, stepsOfItem, cores }: Model, name: string): Station[] {
  const groups = Object.entries(INSTALLATIONS[name] ?? { others: { cores, parts: [] } });
  const groupOf = (part: string): string =>
    groups.find(([, { parts }]) => parts.some((pattern) => pattern.test(part)))?.[0] ?? "others";
  return groups.map(([group, { cores: servers }]) => {
    const own = demands.filter((demand) => groupOf(demand.name) === group);
    const sum = (field: "itemMs" | "runMs"): number => own.reduce((total, demand) => total + demand[field], 0);
    return { name: group, servers, stepMs: sum("itemMs") / stepsOfItem, runMs: sum("runMs") };
  });
}

type Wanted = Pick<Load, "runs" | "itemsOfRun"> & Partial<Load>;

/** With the community's limit of workloads at once. */
export function loadOf({ turnMs, stepMs, stepsOfItem }: Model, wanted: Wanted): Load {
  return { everyMs: 0, inFlight: 50, runsAtOnce: 100, stepsOfItem, stepMs, turnMs, ...wanted };
}
