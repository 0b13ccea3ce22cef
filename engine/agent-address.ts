import { isPrivateHost } from "../crd/admission.ts";
import type { Agent } from "../crd/agent.ts";
import type { SpecProblem } from "./check.ts";
import { SHARED_NAMESPACE } from "./freeze.ts";

/**
 * What is wrong with the place that an agent's steps are sent to. The Broker sends them, and it reaches more of the cluster than a tenant
 * may: an Agent names public hosts, and services of its own namespace. Those of agentic-system are their administrator's to judge.
 * Names are judged as written. `isNamespace`: whether the cluster has a namespace of that name, for a pod looks `redis.agentic-system` up
 * as a service.
 */
export async function addressProblems(
  { metadata, spec }: Pick<Agent, "metadata" | "spec">,
  isNamespace: (name: string) => Promise<boolean>,
): Promise<SpecProblem[]> {
  const { namespace } = metadata;
  if (namespace === SHARED_NAMESPACE) return [];
  const { service, uri } = spec;
  if (service?.namespace !== undefined && service.namespace !== namespace)
    return [
      {
        path: ["service", "namespace"],
        message: `is another namespace than the Agent's, ${namespace}: apply the Agent where the Knative Service is, or as a shared one in ${SHARED_NAMESPACE}`,
      },
    ];
  const host = uri === undefined ? undefined : URL.parse(uri)?.hostname.toLowerCase();
  if (host === undefined || isServiceOf(namespace, host)) return [];
  if (!isPrivateHost(host) && !(await isServiceName(host, isNamespace))) return [];
  return [
    {
      path: ["uri"],
      message: `${host} is private: expected a public host, or NAME.${namespace}.svc.cluster.local; a shared Agent in ${SHARED_NAMESPACE} may name any`,
    },
  ];
}

function isServiceOf(namespace: string, host: string): boolean {
  const [name, of, ...rest] = host.replace(/\.$/, "").split(".");
  return Boolean(name) && of === namespace && ["", "svc", "svc.cluster.local"].includes(rest.join("."));
}

/** A name that ends with a dot is looked up as it is. */
async function isServiceName(host: string, isNamespace: (name: string) => Promise<boolean>): Promise<boolean> {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return last !== "" && isNamespace(last);
}
