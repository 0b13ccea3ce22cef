import { randomUUID } from "node:crypto";
import { AuthenticationV1Api, CoreV1Api } from "@kubernetes/client-node";
import { type AgentDecision, agentDecisionSchema } from "../../crd/agentdecision.ts";
import { type AgentPipeline, agentPipelineSchema } from "../../crd/agentpipeline.ts";
import { type AgentWorkload, agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { API_VERSION } from "../../crd/fields.ts";
import { candidates, SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { RunEngine, RunView } from "../../functions/reconcile/run-engine.ts";
import { createProxiedStore } from "../../lib/edges/artifacts/kube-proxy.ts";
import { type ArtifactReader, createArtifactReader } from "../../lib/edges/artifacts.ts";
import { connectKube, type KubeObject } from "../../lib/edges/kube.ts";
import { kubeConfig, outcome } from "../../lib/edges/kube-calls.ts";
import { type Follow, followWorkloads } from "../../lib/edges/kube-watch.ts";
import { type PodLine, readPodLogs } from "../../lib/edges/pod-logs.ts";
import { createWorkloadReviews } from "../../lib/edges/reviews/workload.ts";
import type { Reviews } from "../../lib/edges/reviews.ts";
import { RetryableError, TerminalError } from "../../lib/errors.ts";
import { licenceKeys } from "../../lib/licence/keys.ts";
import { type LicenceReading, readLicence } from "../../lib/licence/licence.ts";
import { LICENCE_SECRET, type Standing, standingOf } from "../../lib/licence/standing.ts";
import { type Accounts, NO_ACCOUNTS } from "../../lib/quota/accounts.ts";
import { createQuotas } from "../../lib/quota/quotas.ts";
import { INSTALLATION } from "../../lib/quota/scope.ts";
import { readServed, type ServedUsage, USAGE_AUDIENCE, USAGE_TOKEN_HEADER } from "../../lib/usage/served.ts";

export interface ClusterOptions {
  readonly namespace?: string;
  readonly context?: string;
  readonly kubeconfig?: string;
}

export type SeenWorkload = AgentWorkload & { readonly metadata: { readonly uid: string; readonly createdAt: string } };

/** A cluster as the user's kubeconfig reaches it. @throws as the edge does; Error where there is no kubeconfig */
export interface Cluster {
  readonly namespace: string;
  /** The user's name as the API server knows it. */
  whoAmI(): Promise<string>;
  /** @returns undefined where it is not there */
  workload(name: string): Promise<SeenWorkload | undefined>;
  /** Of the namespace, or of all. */
  workloads(all: boolean): Promise<SeenWorkload[]>;
  /** An AgentPipeline as workloads of the namespace find it. @returns undefined where it is not there, or not the user's to read */
  pipeline(name: string): Promise<AgentPipeline | undefined>;
  /** A run by the name of its object. @returns undefined where it is not there, or not the user's to read */
  run(name: string): Promise<RunView | undefined>;
  /** What runs left, by the keys that the workload's status names. */
  readonly artifacts: ArtifactReader & { size(key: string): Promise<number | undefined> };
  readonly reviews: Pick<Reviews, "list" | "read">;
  /** The workloads of the namespace, or of all, as they change. */
  follow(all: boolean): Follow;
  /** What the functions of a namespace wrote; undefined where the user may not read it. */
  logs(namespace: string, sinceSeconds: number): Promise<PodLine[] | undefined>;
  /** The installation's, and what of its limits is in use. @throws TerminalError Forbidden where the user may not read them */
  licence(): Promise<{ reading: LicenceReading | undefined; standing: Standing; accounts: Accounts }>;
  /** What runs of the namespace, or of all, used in a month. @throws TerminalError Forbidden where the user may not read it */
  usage(month: string, all: boolean): Promise<ServedUsage>;
  /** What tells whether records are missing or were edited. @throws TerminalError Forbidden where the user may not read it */
  usageProof(): Promise<{ readonly publicKeys: string | undefined; readonly accounts: Accounts }>;
  /** A merge patch of the spec. */
  edit(name: string, spec: object): Promise<void>;
  /** @returns the name of the AgentDecision that it made */
  decide(workload: SeenWorkload, spec: AgentDecision["spec"]): Promise<string>;
  /** Why an AgentDecision does not count; undefined: it does, or nobody has looked yet. */
  refusal(decision: string): Promise<string | undefined>;
}

/** Of a report with all its pictures, over a slow line. */
const READ_TIMEOUT_MS = 5 * 60_000;
/** The shortest that the API server makes. */
const TOKEN_SECONDS = 600;

export function connectCluster(
  { namespace, context, kubeconfig }: ClusterOptions,
  engine: Pick<RunEngine, "view">,
): Cluster {
  const config = kubeConfig({ file: kubeconfig, context });
  const kube = connectKube(config);
  const store = createProxiedStore(kubeConfig({ file: kubeconfig, context, timeoutMs: READ_TIMEOUT_MS }));
  const own = namespace ?? config.getContextObject(config.getCurrentContext())?.namespace ?? "default";
  return {
    namespace: own,
    artifacts: { ...createArtifactReader(store), size: store.size },
    reviews: createWorkloadReviews(kube.workloads),
    follow: (all) => followWorkloads(config, all ? undefined : own),
    async whoAmI() {
      const asked = await outcome(config.makeApiClient(AuthenticationV1Api).createSelfSubjectReview({ body: {} }));
      return ("value" in asked && asked.value.status?.userInfo?.username) || "";
    },
    async workload(name) {
      const object = await kube.workloads.get({ namespace: own, name });
      return object && seen(object);
    },
    async workloads(all) {
      if (!all) return (await kube.workloads.list({ namespace: own })).map(seen);
      const everywhere: SeenWorkload[] = [];
      for await (const object of kube.workloads.listAll()) everywhere.push(seen(object));
      return everywhere;
    },
    async pipeline(name) {
      for (const ref of candidates(name, own)) {
        const object = await kube.pipelines.get(ref).catch(ifForbidden);
        const pipeline = agentPipelineSchema.safeParse(object).data;
        if (pipeline) return pipeline;
      }
      return undefined;
    },
    async run(name) {
      const object = await kube.workflows.get({ namespace: own, name }).catch(ifForbidden);
      return object && engine.view(object);
    },
    logs: (namespace, sinceSeconds) => readPodLogs(config, namespace, sinceSeconds),
    async licence() {
      const { namespace, name, key } = LICENCE_SECRET;
      const found = await outcome(config.makeApiClient(CoreV1Api).readNamespacedSecret({ namespace, name }));
      const token = "value" in found ? found.value.data?.[key] : undefined;
      const settings = await kube.configMaps.get({ namespace, name: "agentic-settings" });
      const reading =
        token === undefined
          ? undefined
          : await readLicence(
              Buffer.from(token, "base64").toString(),
              licenceKeys(settings?.data["LICENCE_KEYS"] || undefined),
            );
      const quotas = createQuotas(
        kube.configMaps,
        async () => reading,
        () => new Date(),
      );
      const { accounts = NO_ACCOUNTS } = (await quotas.read(INSTALLATION)) ?? {};
      return { reading, standing: standingOf(reading, new Date(), accounts.latest), accounts };
    },
    async usage(month, all) {
      const namespace = all ? SHARED_NAMESPACE : own;
      const body = { spec: { audiences: [USAGE_AUDIENCE], expirationSeconds: TOKEN_SECONDS } };
      // Who may make a token there may read what it used (functions/artifacts/usage.ts).
      const core = config.makeApiClient(CoreV1Api);
      const made = await outcome(core.createNamespacedServiceAccountToken({ namespace, name: "default", body }));
      const token = "value" in made ? made.value.status?.token : undefined;
      if (token === undefined)
        throw new TerminalError(
          "Forbidden",
          `the API server made no token of the service account default in ${namespace}`,
        );
      const query = all ? "" : `?namespace=${own}`;
      const text = await store.text(`usage/${month}${query}`, { [USAGE_TOKEN_HEADER]: token });
      const served = text === undefined ? undefined : readServed(text);
      if (served) return served;
      throw new RetryableError(
        "UsageCutOff",
        "the answer of the function artifacts broke off: see its log, and ask again",
      );
    },
    async usageProof() {
      const namespace = SHARED_NAMESPACE;
      const found = await outcome(
        config.makeApiClient(CoreV1Api).readNamespacedSecret({ namespace, name: "agentic-evidence" }),
      );
      const key = "value" in found ? found.value.data?.["EVIDENCE_PUBLIC_KEY"] : undefined;
      const publicKeys = key === undefined ? undefined : Buffer.from(key, "base64").toString();
      const quotas = createQuotas(
        kube.configMaps,
        async () => undefined,
        () => new Date(),
      );
      const { accounts = NO_ACCOUNTS } = (await quotas.read(INSTALLATION)) ?? {};
      return { publicKeys, accounts };
    },
    async edit(name, spec) {
      await kube.workloads.merge({ namespace: own, name }, { spec });
    },
    async decide({ metadata }, spec) {
      const { name, uid } = metadata;
      const decision = `${name}-${randomUUID().slice(0, 8)}`;
      await kube.decisions.create(own, {
        apiVersion: API_VERSION,
        kind: "AgentDecision",
        metadata: {
          name: decision,
          ownerReferences: [{ apiVersion: API_VERSION, kind: "AgentWorkload", name, uid }],
        },
        spec,
      });
      return decision;
    },
    async refusal(name) {
      const object = await kube.decisions.get({ namespace: own, name });
      const { status } = agentDecisionSchema.safeParse(object).data ?? {};
      return status?.outcome === "Refused" ? status.message : undefined;
    },
  };
}

function ifForbidden(error: unknown): undefined {
  if (error instanceof TerminalError && error.reason === "Forbidden") return undefined;
  throw error;
}

function seen({ metadata, spec, status, ...rest }: KubeObject): SeenWorkload {
  const { namespace, name, uid, generation, creationTimestamp: createdAt } = metadata;
  const { apiVersion, kind } = rest as Record<string, unknown>;
  const workload = agentWorkloadSchema.parse({
    apiVersion: apiVersion ?? API_VERSION,
    kind: kind ?? "AgentWorkload",
    metadata: { namespace, name, uid, generation },
    spec,
    status,
  });
  return { ...workload, metadata: { ...workload.metadata, uid, createdAt } };
}
