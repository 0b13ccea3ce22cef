import { CustomObjectsApi, type KubeConfig, Watch } from "@kubernetes/client-node";
import { z } from "zod";
import { RetryableError } from "../errors.ts";
import { type KubeObject, type ObjectRef, objectSchema, WORKLOADS } from "./kube.ts";
import { outcome } from "./kube-calls.ts";

/** What a reader of all AgentWorkloads is told. Of an object it keeps what `read` makes of it. */
export interface Follower<T> {
  read(object: KubeObject): T;
  /** All that there are, at the start. */
  listed(all: readonly T[]): void;
  changed(one: T): void;
  removed(ref: ObjectRef): void;
}

/**
 * Lists all AgentWorkloads, of a namespace or of all, and tells what changes, until the API server ends the watch, as it does within
 * minutes, or the signal aborts. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason
 */
export type Follow = <T>(follower: Follower<T>, signal: AbortSignal) => Promise<void>;

const PAGE_SIZE = 200;
/** The client takes a connection for dead on which nothing comes for thirty seconds. */
const WATCH_SECONDS = 25;
/** Then it lists anew, so that nothing that was missed stays missed. */
const WATCHES = 10;

const listSchema = z.object({
  metadata: z.looseObject({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(objectSchema),
});

const bookmarkSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

export function followWorkloads(config: KubeConfig, namespace?: string): Follow {
  const objects = config.makeApiClient(CustomObjectsApi);
  const page = (next: string | undefined) => {
    const asked = { ...WORKLOADS, limit: PAGE_SIZE, ...(next ? { _continue: next } : {}) };
    return namespace === undefined
      ? objects.listCustomObjectForAllNamespaces({ ...asked, resourcePlural: WORKLOADS.plural })
      : objects.listNamespacedCustomObject({ ...asked, namespace });
  };
  const path = `/apis/${WORKLOADS.group}/${WORKLOADS.version}${namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`}/${WORKLOADS.plural}`;
  return async (follower, signal) => {
    const all: ReturnType<typeof follower.read>[] = [];
    let next: string | undefined;
    let resourceVersion: string;
    do {
      const found = await outcome(page(next));
      if (!("value" in found))
        throw new RetryableError("ApiUnavailable", "the API server does not know agentworkloads: kubectl apply -f crd");
      const { items, metadata } = listSchema.parse(found.value);
      for (const object of items) all.push(follower.read(object));
      ({ continue: next, resourceVersion } = metadata);
    } while (next && !signal.aborted);
    if (signal.aborted) return;
    follower.listed(all);
    let from: string | undefined = resourceVersion;
    for (let watches = 0; from !== undefined && watches < WATCHES && !signal.aborted; watches++)
      from = await watchFrom(config, path, from, follower, signal);
  };
}

/** @returns from where the next watch goes on; undefined: from nowhere, list anew */
function watchFrom<T>(
  config: KubeConfig,
  path: string,
  from: string,
  { read, changed, removed }: Follower<T>,
  signal: AbortSignal,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let last: string | undefined = from;
    let controller: AbortController | undefined;
    const stop = (): void => controller?.abort();
    signal.addEventListener("abort", stop);
    const ended = (cause: unknown): void => {
      signal.removeEventListener("abort", stop);
      if (!cause || signal.aborted || last === undefined) resolve(last);
      else
        reject(
          new RetryableError("ApiUnavailable", `the Kubernetes API: the watch ended: ${String(cause)}`, { cause }),
        );
    };
    const told = (type: string, object: unknown): void => {
      const seen = objectSchema.safeParse(object).data;
      const version = bookmarkSchema.safeParse(object).data?.metadata.resourceVersion;
      if (type === "ERROR") {
        // Too old to go on from.
        last = undefined;
        controller?.abort();
      } else if (version !== undefined) last = version;
      if (type === "DELETED" && seen) removed(seen.metadata);
      else if ((type === "ADDED" || type === "MODIFIED") && seen) changed(read(seen));
    };
    const asked = { resourceVersion: from, timeoutSeconds: WATCH_SECONDS, allowWatchBookmarks: true };
    new Watch(config).watch(path, asked, told, ended).then((begun) => {
      controller = begun;
      if (signal.aborted || last === undefined) begun.abort();
    }, ended);
  });
}
