import {
  type ConfigurationOptions,
  CoreV1Api,
  type CoreV1Event,
  CustomObjectsApi,
  PatchStrategy,
  setHeaderOptions,
  type V1ConfigMap,
  type V1Secret,
  type V1ServiceAccount,
} from "@kubernetes/client-node";
import { z } from "zod";
import { TerminalError } from "../errors.ts";
import { type HeldAccess, HOST_ACCESS_SECRET } from "../host-access.ts";
import { kubeConfig, outcome } from "./kube-calls.ts";

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
export const objectSchema = z.looseObject({
  metadata: metadataSchema,
  spec: z.unknown(),
  status: z.unknown().optional(),
});
/** An object as the API server gives it: spec and status are for who knows its kind. */
export type KubeObject = z.infer<typeof objectSchema>;

/** Of a conditional write: "conflict" when what it was decided on has changed, "gone" when the object is not there. */
export type WriteResult = "written" | "conflict" | "gone";

export interface JsonPatchOperation {
  readonly op: "test" | "add" | "replace" | "remove";
  readonly path: string;
  readonly value?: unknown;
}

/** What is asked of one kind. @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface KindClient {
  get(ref: ObjectRef): Promise<KubeObject | undefined>;
  list(where: { namespace: string; labelSelector?: string; fieldSelector?: string }): Promise<KubeObject[]>;
  /** Of all namespaces, a page at a time. */
  listAll(): AsyncIterable<KubeObject>;
  create(namespace: string, body: object): Promise<"created" | "exists">;
  /** A JSON patch; a `test` that fails is a conflict. */
  patch(ref: ObjectRef, operations: readonly JsonPatchOperation[]): Promise<WriteResult>;
  /** A merge patch; conditional by metadata.resourceVersion in it. */
  merge(ref: ObjectRef, body: object): Promise<WriteResult>;
  /** Replaces the status of the object as it was read. */
  putStatus(object: KubeObject, status: object): Promise<WriteResult>;
  /** Server-side apply: makes the object, or makes it what `body` says and leaves the rest to others. */
  apply(ref: ObjectRef, body: object): Promise<void>;
  /** Foreground: the object is there until all that it owns is gone. */
  remove(ref: ObjectRef, how?: "Foreground"): Promise<WriteResult>;
}

/** A ConfigMap, as far as it is ours to read. */
export interface ConfigMap {
  readonly name: string;
  readonly resourceVersion: string;
  readonly data: Readonly<Record<string, string>>;
}

/** @throws RetryableError ApiUnavailable; TerminalError with the API server's own reason */
export interface ConfigMaps {
  get(ref: ObjectRef): Promise<ConfigMap | undefined>;
  list(where: { namespace: string; labelSelector: string }): Promise<ConfigMap[]>;
  /** "conflict": one of this name is there. */
  create(body: V1ConfigMap & { metadata: { namespace: string } }): Promise<WriteResult>;
  /** Conditional by metadata.resourceVersion in it. */
  replace(ref: ObjectRef, body: V1ConfigMap): Promise<WriteResult>;
}

export interface Kube {
  readonly workloads: KindClient;
  readonly pipelines: KindClient;
  readonly agents: KindClient;
  readonly decisions: KindClient;
  readonly schedules: KindClient;
  /** Argo's. */
  readonly workflows: KindClient;
  /** Knative Services. */
  readonly services: KindClient;
  readonly triggers: KindClient;
  readonly configMaps: ConfigMaps;
  readonly networkPolicies: KindClient;
  /** The Secret of a namespace that holds what its steps show to hosts, the only one that it reads. Without one: nothing. */
  hostAccess(namespace: string): Promise<HeldAccess>;
  readonly deployments: KindClient;
  isNamespace(name: string): Promise<boolean>;
  /** Makes it where it is not there. One that is there stays as it is. */
  ensureServiceAccount(body: V1ServiceAccount & { metadata: { namespace: string } }): Promise<void>;
  /** Makes it where it is not there. One that is there stays as it is, unread. */
  ensureSecret(body: V1Secret & { metadata: { namespace: string } }): Promise<void>;
  /** Makes it, in place of one of the same name. Nothing of that one is read. */
  replaceSecret(body: V1Secret & { metadata: { namespace: string; name: string } }): Promise<void>;
  /** An Event on an object; one of the same name is the same event. */
  event(event: CoreV1Event & { metadata: { namespace: string } }): Promise<void>;
}

/** GROUP/VERSION/KIND of a run's DAG. */
export const WORKFLOW_KIND = "argoproj.io/v1alpha1/Workflow";
export const WORKLOADS = { group: "agentic.dev", version: "v1alpha1", plural: "agentworkloads" };

export function connectKube(config = kubeConfig()): Kube {
  const objects = config.makeApiClient(CustomObjectsApi);
  const core = config.makeApiClient(CoreV1Api);
  return {
    workloads: kindClient(objects, WORKLOADS),
    pipelines: kindClient(objects, { group: "agentic.dev", version: "v1alpha1", plural: "agentpipelines" }),
    agents: kindClient(objects, { group: "agentic.dev", version: "v1alpha1", plural: "agents" }),
    decisions: kindClient(objects, { group: "agentic.dev", version: "v1alpha1", plural: "agentdecisions" }),
    schedules: kindClient(objects, { group: "agentic.dev", version: "v1alpha1", plural: "agentschedules" }),
    workflows: kindClient(objects, { group: "argoproj.io", version: "v1alpha1", plural: "workflows" }),
    services: kindClient(objects, { group: "serving.knative.dev", version: "v1", plural: "services" }),
    triggers: kindClient(objects, { group: "eventing.knative.dev", version: "v1", plural: "triggers" }),
    configMaps: {
      async get(ref) {
        const found = await outcome(core.readNamespacedConfigMap(ref));
        return "value" in found ? configMapOf(found.value) : undefined;
      },
      async list(where) {
        const found = await outcome(core.listNamespacedConfigMap(where));
        return "value" in found ? found.value.items.map(configMapOf) : [];
      },
      create: (body) => written(core.createNamespacedConfigMap({ namespace: body.metadata.namespace, body })),
      replace: (ref, body) => written(core.replaceNamespacedConfigMap({ ...ref, body })),
    },
    networkPolicies: kindClient(objects, { group: "networking.k8s.io", version: "v1", plural: "networkpolicies" }),
    async hostAccess(namespace) {
      const found = await outcome(core.readNamespacedSecret({ namespace, name: HOST_ACCESS_SECRET }));
      const data = ("value" in found && found.value.data) || {};
      return Object.fromEntries(
        Object.entries(data).map(([host, held]) => [host, Buffer.from(held, "base64").toString()]),
      );
    },
    deployments: kindClient(objects, { group: "apps", version: "v1", plural: "deployments" }),
    isNamespace: async (name) => "value" in (await outcome(core.readNamespace({ name }))),
    async ensureServiceAccount(body) {
      await outcome(core.createNamespacedServiceAccount({ namespace: body.metadata.namespace, body }));
    },
    async ensureSecret(body) {
      await outcome(core.createNamespacedSecret({ namespace: body.metadata.namespace, body }));
    },
    async replaceSecret(body) {
      const { namespace, name } = body.metadata;
      await outcome(core.deleteNamespacedSecret({ namespace, name }));
      await outcome(core.createNamespacedSecret({ namespace, body }));
    },
    async event(body) {
      await outcome(core.createNamespacedEvent({ namespace: body.metadata.namespace, body }));
    },
  };
}

function configMapOf({ metadata, data }: V1ConfigMap): ConfigMap {
  return { name: metadata?.name ?? "", resourceVersion: metadata?.resourceVersion ?? "", data: data ?? {} };
}

const FIELD_MANAGER = "agentic-reconcile";
const PAGE_SIZE = 200;
const listSchema = z.object({
  metadata: z.looseObject({ continue: z.string().optional() }).optional(),
  items: z.array(objectSchema),
});

type Kind = { readonly group: string; readonly version: string; readonly plural: string };

function kindClient(objects: CustomObjectsApi, kind: Kind): KindClient {
  return {
    async get(ref) {
      const found = await outcome(objects.getNamespacedCustomObject({ ...kind, ...ref }));
      return "value" in found ? objectSchema.parse(found.value) : undefined;
    },
    async list(where) {
      const found = await outcome(objects.listNamespacedCustomObject({ ...kind, ...where }));
      if (!("value" in found)) throw new TerminalError("KindMissing", kindMissing(kind));
      return listSchema.parse(found.value).items;
    },
    async *listAll() {
      let next: string | undefined;
      do {
        const page = { limit: PAGE_SIZE, ...(next ? { _continue: next } : {}) };
        const found = await outcome(
          objects.listCustomObjectForAllNamespaces({ ...kind, resourcePlural: kind.plural, ...page }),
        );
        if (!("value" in found)) throw new TerminalError("KindMissing", kindMissing(kind));
        const { items, metadata } = listSchema.parse(found.value);
        yield* items;
        next = metadata?.continue;
      } while (next);
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
    async apply(ref, body) {
      const how = { fieldManager: FIELD_MANAGER, force: true };
      const done = await outcome(
        objects.patchNamespacedCustomObject({ ...kind, ...ref, body, ...how }, typed(PatchStrategy.ServerSideApply)),
      );
      // Applied, a missing object would have been made: what is missing is its kind.
      if ("refused" in done) throw new TerminalError("KindMissing", kindMissing(kind));
    },
    remove: (ref, propagationPolicy) =>
      written(
        objects.deleteNamespacedCustomObject({ ...kind, ...ref, ...(propagationPolicy ? { propagationPolicy } : {}) }),
      ),
  };
}

function typed(strategy: PatchStrategy): ConfigurationOptions {
  return setHeaderOptions("Content-Type", strategy);
}

const INSTALL: Readonly<Record<string, string>> = {
  "argoproj.io": "install Argo Workflows",
  "serving.knative.dev": "install Knative Serving",
  "eventing.knative.dev": "install Knative Eventing",
};

function kindMissing({ group, plural }: Kind): string {
  return `the API server does not know ${plural}.${group}: ${INSTALL[group] ?? "kubectl apply -f crd"}`;
}

async function written(call: Promise<unknown>): Promise<WriteResult> {
  const done = await outcome(call);
  return "value" in done ? "written" : done.refused;
}
