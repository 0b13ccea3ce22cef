import {
  ApiException,
  type ConfigurationOptions,
  CoreV1Api,
  type CoreV1Event,
  CustomObjectsApi,
  KubeConfig,
  PatchStrategy,
  type RequestContext,
  setHeaderOptions,
} from "@kubernetes/client-node";
import { z } from "zod";
import { RetryableError, TerminalError } from "../errors.ts";

/** Names one object in a namespace. */
export interface ObjectRef {
  readonly namespace: string;
  readonly name: string;
}

const metadataSchema = z.looseObject({
  name: z.string(),
  namespace: z.string(),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.int().optional(),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  finalizers: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
});
const objectSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.unknown(),
  status: z.unknown().optional(),
});
/** An object as the API server gives it: spec and status are for who knows its kind. */
export type KubeObject = z.infer<typeof objectSchema>;

/** A write that carries what it was decided on: "conflict" when that is no longer so, "gone" when the object is not there. */
export type Written = "written" | "conflict" | "gone";

export interface JsonPatchOperation {
  readonly op: "test" | "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}

/** What is asked of one kind. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface KindClient {
  get(ref: ObjectRef): Promise<KubeObject | undefined>;
  list(where?: { namespace: string; labelSelector: string }): Promise<KubeObject[]>;
  create(namespace: string, body: object): Promise<"created" | "exists">;
  /** A JSON patch; a `test` that fails is a conflict. */
  patch(ref: ObjectRef, operations: readonly JsonPatchOperation[]): Promise<Written>;
  /** A merge patch; conditional by metadata.resourceVersion in it. */
  merge(ref: ObjectRef, body: object): Promise<Written>;
  /** Replaces the status of the object as it was read. */
  putStatus(object: KubeObject, status: object): Promise<Written>;
  remove(ref: ObjectRef): Promise<Written>;
}

export interface Kube {
  readonly workloads: KindClient;
  readonly workflows: KindClient;
  /** An Event on an object; one of the same name is the same event. */
  event(event: CoreV1Event & { metadata: { namespace: string } }): Promise<void>;
}

/**
 * Keeps its connections: the client 2.0 makes a dispatcher for each call, and with it a TLS handshake, which cost reconcile and
 * the API server more than what was asked.
 */
class KeptConnections extends KubeConfig {
  #dispatcher: ReturnType<RequestContext["getDispatcher"]>;

  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    this.#dispatcher ??= context.getDispatcher();
    if (this.#dispatcher) context.setDispatcher(this.#dispatcher);
  }
}

/** By a kubeconfig's file; else from the pod's service account, or from KUBECONFIG. Nothing is connected before the first call. */
export function connectKube(kubeconfig?: string): Kube {
  const config = new KeptConnections();
  if (kubeconfig === undefined) config.loadFromDefault();
  else config.loadFromFile(kubeconfig);
  const objects = config.makeApiClient(CustomObjectsApi);
  const core = config.makeApiClient(CoreV1Api);
  return {
    workloads: kindClient(objects, { group: "agentic.dev", version: "v1alpha1", plural: "agentworkloads" }),
    workflows: kindClient(objects, { group: "argoproj.io", version: "v1alpha1", plural: "workflows" }),
    async event(body) {
      await outcome(core.createNamespacedEvent({ namespace: body.metadata.namespace, body }));
    },
  };
}

type Kind = { readonly group: string; readonly version: string; readonly plural: string };

function kindClient(objects: CustomObjectsApi, kind: Kind): KindClient {
  return {
    async get(ref) {
      const found = await outcome(objects.getNamespacedCustomObject({ ...kind, ...ref }));
      return "value" in found ? objectSchema.parse(found.value) : undefined;
    },
    async list(where) {
      const asked = where
        ? objects.listNamespacedCustomObject({ ...kind, ...where })
        : objects.listCustomObjectForAllNamespaces({ ...kind, resourcePlural: kind.plural });
      const found = await outcome(asked);
      if (!("value" in found)) throw new TerminalError("KindMissing", kindMissing(kind));
      return z.object({ items: z.array(objectSchema) }).parse(found.value).items;
    },
    async create(namespace, body) {
      const made = await outcome(objects.createNamespacedCustomObject({ ...kind, namespace, body }));
      if ("value" in made) return "created";
      if (made.refused === "conflict") return "exists";
      throw new TerminalError("KindMissing", kindMissing(kind));
    },
    patch: (ref, body) =>
      written(objects.patchNamespacedCustomObject({ ...kind, ...ref, body }, typed(PatchStrategy.JsonPatch))),
    merge: (ref, body) =>
      written(objects.patchNamespacedCustomObject({ ...kind, ...ref, body }, typed(PatchStrategy.MergePatch))),
    putStatus(object, status) {
      const { namespace, name } = object.metadata;
      return written(
        objects.replaceNamespacedCustomObjectStatus({ ...kind, namespace, name, body: { ...object, status } }),
      );
    },
    remove: (ref) => written(objects.deleteNamespacedCustomObject({ ...kind, ...ref })),
  };
}

function typed(strategy: PatchStrategy): ConfigurationOptions {
  return setHeaderOptions("Content-Type", strategy);
}

function kindMissing({ group, plural }: Kind): string {
  return `the API server does not know ${plural}.${group}: ${group === "argoproj.io" ? "install Argo Workflows" : "kubectl apply -f crd"}`;
}

async function written(call: Promise<unknown>): Promise<Written> {
  const done = await outcome(call);
  return "value" in done ? "written" : done.refused;
}

/** What the API server answers, as a value where it is an expected outcome, else as one of our two errors. */
async function outcome<T>(call: Promise<T>): Promise<{ value: T } | { refused: "conflict" | "gone" }> {
  try {
    return { value: await call };
  } catch (cause) {
    if (!(cause instanceof ApiException))
      throw unavailable(cause instanceof Error ? cause.message : String(cause), cause);
    const { reason, message } = statusOf(cause);
    if (cause.code === 404) return { refused: "gone" };
    if (cause.code === 409) return { refused: "conflict" };
    // A JSON patch whose `test` did not hold; the server names no field then, as it does for an invalid object.
    if (cause.code === 422 && /the server rejected our request|testing path|test failed/i.test(message))
      return { refused: "conflict" };
    if (cause.code === 429 || cause.code >= 500) throw unavailable(message, cause);
    throw new TerminalError(reason, message, { cause });
  }
}

function unavailable(detail: string, cause: unknown): RetryableError {
  return new RetryableError("ApiUnavailable", `the Kubernetes API: ${detail}`, { cause, countsAsAttempt: false });
}

/** The Status object in an error's body. */
function statusOf(error: ApiException<unknown>): { reason: string; message: string } {
  let body: unknown = error.body;
  if (typeof body === "string") {
    try {
      body = JSON.parse(body);
    } catch {
      // Not from the API server itself: a proxy's page.
    }
  }
  const status = z.object({ reason: z.string().optional(), message: z.string().optional() }).safeParse(body).data;
  return { reason: status?.reason || `Http${error.code}`, message: status?.message ?? error.message.slice(0, 500) };
}
