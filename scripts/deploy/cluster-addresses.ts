import { z } from "zod";
import type { Kubectl } from "./kubectl.ts";

const nodesSchema = z.object({
  items: z.array(
    z.object({
      spec: z.object({ podCIDRs: z.array(z.string()).default([]) }),
      status: z.object({ addresses: z.array(z.object({ type: z.string(), address: z.string() })).default([]) }),
    }),
  ),
});
const servicesSchema = z.object({ items: z.array(z.object({ spec: z.object({ cidrs: z.array(z.string()) }) })) });
const slicesSchema = z.object({
  items: z.array(
    z.object({
      endpoints: z.array(z.object({ addresses: z.array(z.string()) })).nullish(),
      ports: z.array(z.object({ port: z.int() })).nullish(),
    }),
  ),
});

export interface ClusterAddresses {
  /**
   * What may look public: pods, Services, nodes and the API server; addresses and ranges. Where the API server has no ServiceCIDRs
   * (Kubernetes before 1.33), the Services' range is the administrator's to add (EGRESS_DENY).
   */
  readonly ranges: readonly string[];
  readonly apiServer: readonly { readonly addresses: readonly string[]; readonly ports: readonly number[] }[];
}

/** What only the cluster knows of its addresses. */
export async function clusterAddresses(kubectl: Kubectl): Promise<ClusterAddresses> {
  const read = async <T>(schema: z.ZodType<T>, ...what: string[]): Promise<T> =>
    schema.parse(JSON.parse(await kubectl(["get", ...what, "-o", "json"])));
  const nodes = await read(nodesSchema, "nodes");
  const services = await read(servicesSchema, "servicecidrs").catch(() => ({ items: [] }));
  const api = ["endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes"];
  const apiServer = (await read(slicesSchema, ...api)).items.map(({ endpoints, ports }) => ({
    addresses: (endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
    ports: (ports ?? []).map(({ port }) => port),
  }));
  const addresses = nodes.items.flatMap(({ status }) =>
    status.addresses.flatMap(({ type, address }) => (type.endsWith("IP") ? [address] : [])),
  );
  const ranges = new Set([
    ...nodes.items.flatMap(({ spec }) => spec.podCIDRs),
    ...services.items.flatMap(({ spec }) => spec.cidrs),
    ...addresses,
    ...apiServer.flatMap((one) => one.addresses),
  ]);
  return { ranges: [...ranges].toSorted(), apiServer };
}
