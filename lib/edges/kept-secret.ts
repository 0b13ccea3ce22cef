import { CoreV1Api, type KubeConfig, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { outcome } from "./kube-calls.ts";

/** A Secret of the cluster, read and written. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface KeptSecret {
  readonly name: string;
  /** Undefined where it is not there. */
  read(): Promise<{ data: Readonly<Record<string, string>>; resourceVersion: string } | undefined>;
  /** Only where it is as it was read. */
  write(data: Readonly<Record<string, string>>, resourceVersion: string): Promise<"written" | "conflict">;
}

export function connectSecret(config: KubeConfig, where: { namespace: string; name: string }): KeptSecret {
  const core = config.makeApiClient(CoreV1Api);
  return {
    name: where.name,
    async read() {
      const found = await outcome(core.readNamespacedSecret(where));
      if (!("value" in found)) return undefined;
      const entries = Object.entries(found.value.data ?? {});
      return {
        data: Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString()])),
        resourceVersion: found.value.metadata?.resourceVersion ?? "",
      };
    },
    async write(stringData, resourceVersion) {
      const body = { metadata: { resourceVersion }, stringData };
      const how = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);
      const done = await outcome(core.patchNamespacedSecret({ ...where, body }, how));
      return "value" in done ? "written" : "conflict";
    },
  };
}
