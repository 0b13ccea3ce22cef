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
  items: z.array(z.object({ endpoints: z.array(z.object({ addresses: z.array(z.string()) })).nullish() })),
});

/**
 * What of a cluster may have addresses that look public: pods, Services, nodes and the API server; addresses and ranges. Where the API
 * server has no ServiceCIDRs (Kubernetes before 1.33), the Services' range is the administrator's to add (EGRESS_DENY).
 */
export async function clusterRanges(kubectl: Kubectl): Promise<string[]> {
  const read = async <T>(schema: z.ZodType<T>, ...what: string[]): Promise<T> =>
    schema.parse(JSON.parse(await kubectl(["get", ...what, "-o", "json"])));
  const nodes = await read(nodesSchema, "nodes");
  const services = await read(servicesSchema, "servicecidrs").catch(() => ({ items: [] }));
  const api = ["endpointslices", "-n", "default", "-l", "kubernetes.io/service-name=kubernetes"];
  const slices = await read(slicesSchema, ...api);
  const addresses = nodes.items.flatMap(({ status }) =>
    status.addresses.flatMap(({ type, address }) => (type.endsWith("IP") ? [address] : [])),
  );
  return [
    ...new Set([
      ...nodes.items.flatMap(({ spec }) => spec.podCIDRs),
      ...services.items.flatMap(({ spec }) => spec.cidrs),
      ...addresses,
      ...slices.items.flatMap(({ endpoints }) => endpoints ?? []).flatMap((endpoint) => endpoint.addresses),
    ]),
  ].toSorted();
}
