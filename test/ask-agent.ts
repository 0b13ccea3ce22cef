import { generateKeyPairSync } from "node:crypto";
import { type CloudEvent, HTTP } from "cloudevents";
import type { Hono } from "hono";
import type { Redis } from "ioredis";
import type { StepInput, StepResult, WorkloadRef } from "../engine/result.ts";
import type { AgentAppDeps } from "../lib/agent-app.ts";
import { RedisStepStore } from "../lib/durable/redis-step-store.ts";
import { createResultStore } from "../lib/durable/results.ts";
import { createRunDurably } from "../lib/durable/run.ts";
import type { Artifacts } from "../lib/edges/artifacts.ts";
import { parseEvent } from "../lib/events.ts";
import type { HostAccess } from "../lib/host-access.ts";
import type { Logger } from "../lib/log.ts";
import { accessKey, createAccessOpener, createProxyOpener, type OpenProxies } from "../lib/sealed-access.ts";
import { identityOfRequest, parseStepCompleted, stepRequested, type TraceAttributes } from "../lib/step-events.ts";
import { createEgressTokenVerifier, createStepTokenVerifier, mintStepTokens } from "../lib/token.ts";

export interface AskedStep {
  readonly step: string;
  readonly input: StepInput;
  /** Of the workload `demo`; its ledger and its artifacts. */
  readonly uid?: string;
  /** Another revision is another step. */
  readonly revision?: string;
  readonly allow?: readonly string[];
  readonly budgetUsd?: string;
  readonly seconds?: number;
  readonly retryLimit?: number;
  readonly trace?: TraceAttributes;
  readonly hostAccess?: HostAccess;
}

export type StepAnswer = { readonly status: number; readonly body: string } & (
  | { readonly result: StepResult }
  | { readonly reason: string; readonly message: string }
);

/** The workload of the steps that are asked for. */
export const askedWorkload = (uid = "uid-1"): WorkloadRef => ({ namespace: "default", name: "demo", uid });

/** Asks agents for steps, as reconcile does. */
export interface Asker {
  readonly verifyEgressToken: ReturnType<typeof createEgressTokenVerifier>;
  readonly openProxies: OpenProxies;
  /** For an agent's app that keeps its progress in `redis` and its results in `artifacts`. */
  deps(edges: { readonly redis: Redis; readonly artifacts: Artifacts; readonly log: Logger }): AgentAppDeps;
  ask(app: Hono, asked: AskedStep): Promise<StepAnswer>;
}

/** An asker with keys of its own. */
export async function createAsker(): Promise<Asker> {
  const keys = generateKeyPairSync("ed25519");
  const agentKey = accessKey(keys.privateKey, "default.test");
  const proxyKey = accessKey(keys.privateKey, "egress");
  return {
    verifyEgressToken: createEgressTokenVerifier([keys.publicKey]),
    openProxies: createProxyOpener(proxyKey),
    deps: ({ redis, artifacts, log }) => ({
      runDurably: createRunDurably({
        store: new RedisStepStore(redis),
        results: createResultStore(artifacts),
        holder: "test",
        // Outlives what a hostile page costs on a busy machine.
        leaseTtlMs: 120_000,
        keepMs: 3_600_000,
        recursionLimit: 100,
        now: () => new Date(),
        modelCalls: async () => [],
        egress: async () => undefined,
      }),
      verifyToken: createStepTokenVerifier([keys.publicKey]),
      openAccess: createAccessOpener(agentKey),
      log,
      draining: new AbortController().signal,
    }),
    async ask(app, asked) {
      const { step, input, uid, revision = "1", seconds = 180, retryLimit = 0 } = asked;
      const workload = askedWorkload(uid);
      const request = { workload, run: "run-1", step, revision, input };
      const deadline = new Date(Date.now() + seconds * 1000).toISOString();
      const { allow = [], budgetUsd, trace, hostAccess } = asked;
      const tokens = await mintStepTokens(
        {
          sub: workload.uid,
          jti: identityOfRequest(request),
          run: request.run,
          allow: [...allow],
          deadline,
          retryLimit,
          ...(budgetUsd === undefined ? {} : { budgetUsd }),
        },
        keys.privateKey,
        new Date(Date.now() + 240_000),
        hostAccess && { access: hostAccess, agentKey, proxyKey },
      );
      const agent = { namespace: "agentic-system", name: step };
      return answerOf(app, stepRequested({ ...request, ...tokens }, { agent, source: "/test", ...trace }));
    },
  };
}

async function answerOf(app: Hono, event: CloudEvent<unknown>): Promise<StepAnswer> {
  const message = HTTP.structured(event);
  const headers = message.headers as Record<string, string>;
  const response = await app.request("/", { method: "POST", headers, body: message.body as string });
  const body = await response.text();
  const { status } = response;
  if (status !== 200)
    return {
      status,
      body,
      reason: response.headers.get("agentic-reason") ?? "",
      message: decodeURIComponent(response.headers.get("agentic-message") ?? ""),
    };
  const completed = parseStepCompleted(parseEvent(Object.fromEntries(response.headers), body));
  if (completed.identity !== event.id) throw new Error(`the answer is to ${completed.identity}, not to ${event.id}`);
  return { status, body, result: completed.result };
}

/** The result of an answer. @throws Error for an answer without one */
export function resultOf(answer: StepAnswer): StepResult {
  if ("result" in answer) return answer.result;
  throw new Error(`${answer.status} ${answer.reason}: ${answer.message}`);
}
