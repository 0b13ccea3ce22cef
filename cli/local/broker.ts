import { HTTP } from "cloudevents";
import { failedResult, type StepResult } from "../../engine/result.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import { pause } from "../../lib/pause.ts";
import { stepRequested } from "../../lib/step-events.ts";
import type { StepTokens } from "../../lib/token.ts";
import { AgentUnreachable, AnswerTooLarge, type Delivery, type ReachedAgent } from "./agents.ts";
import { Interrupted } from "./interrupted.ts";
import { judge, type Verdict } from "./reply.ts";
import type { StepOrder } from "./runner.ts";
import { missingOf } from "./step-records.ts";

export interface BrokerOptions {
  /** By the name that the pipeline's steps use. */
  readonly agents: ReadonlyMap<string, ReachedAgent>;
  readonly mintTokens: (order: StepOrder) => Promise<StepTokens>;
  readonly artifacts: Artifacts;
  /** The file with the settings that agents in processes of their own need. */
  readonly agentEnv: string;
  readonly signal: AbortSignal;
  /** How long a store may be away before this command stops, in ms. */
  readonly patienceMs: number;
}

/** Not the step's own trouble: a redelivery can only help once the store is back. */
const STORE_REASONS: ReadonlySet<string> = new Set(["StoreUnavailable", "StoreFull", "ArtifactStoreUnavailable"]);
/** An agent ends a step at its deadline by itself, and says so; one that does not is given up this much later. */
const GRACE_MS = 2000;
const MAX_PAUSE_MS = 10_000;

/** Delivers a step's request until its agent has ended it, as the cluster's Broker does: a 503 is delivered again after Retry-After. */
export function createBroker(options: BrokerOptions): (order: StepOrder) => Promise<StepResult> {
  return async (order) => {
    const agent = options.agents.get(order.step.agent ?? "");
    if (!agent) throw new Error(`the run started without agent ${order.step.agent}`);
    let failures = 0;
    let storeAwaySince: number | undefined;
    for (;;) {
      options.signal.throwIfAborted();
      const verdict = await deliver(agent, order, options);
      if (verdict.is === "completed")
        return agent.isRemote ? withArtifacts(verdict.result, agent, order, options) : verdict.result;
      const sentence = `${agent.title} ${verdict.why}`;
      if (verdict.is === "failed") return failedResult(verdict.reason, sentence);
      storeAwaySince = STORE_REASONS.has(verdict.reason) ? (storeAwaySince ?? Date.now()) : undefined;
      if (storeAwaySince !== undefined && Date.now() - storeAwaySince >= options.patienceMs)
        throw new Interrupted(verdict.reason, sentence);
      if (verdict.counts) failures++;
      if (failures > order.retryLimit) return failedResult(verdict.reason, `${sentence}, ${failures} times`);
      const left = order.deadline.getTime() - Date.now();
      if (left <= 0) return overdue(agent, order, verdict.why);
      // Until the deadline at most: then an agent that keeps records says how the step ended.
      const pauseMs = verdict.counts ? Math.min(verdict.afterMs * 2 ** (failures - 1), MAX_PAUSE_MS) : verdict.afterMs;
      await pause(Math.min(pauseMs, left), options.signal);
    }
  };
}

async function deliver(agent: ReachedAgent, order: StepOrder, options: BrokerOptions): Promise<Verdict> {
  const delivery = await deliveryOf(order, options);
  const overdueMs = Math.max(0, order.deadline.getTime() - Date.now()) + GRACE_MS;
  const deadline = agent.isRemote ? [AbortSignal.timeout(Math.min(overdueMs, 2 ** 31 - 1))] : [];
  try {
    return judge(await agent.send(delivery, AbortSignal.any([options.signal, ...deadline])), order.identity);
  } catch (error) {
    options.signal.throwIfAborted();
    if (deadline.some(({ aborted }) => aborted))
      return { is: "failed", reason: "DeadlineExceeded", why: `did not answer ${untilDeadline(order)}` };
    if (error instanceof AnswerTooLarge)
      return {
        is: "failed",
        reason: "InvalidResult",
        why: `answered with ${error.message}: it must put large data into artifacts`,
      };
    if (!(error instanceof AgentUnreachable)) throw error;
    const why = `cannot be reached (${error.message}): start it with the settings of ${options.agentEnv}`;
    return { is: "again", afterMs: 1000, reason: "AgentUnavailable", why, counts: true };
  }
}

/** The result, if everything that it names is in the run's store: the agent may have written to another. */
async function withArtifacts(
  result: StepResult,
  agent: ReachedAgent,
  { request: { workload } }: StepOrder,
  { artifacts, agentEnv }: BrokerOptions,
): Promise<StepResult> {
  const missing = await missingOf(workload, Object.values(result.artifacts), artifacts);
  if (missing === undefined) return result;
  const sentence = `${agent.title} returned the artifact ${missing}, which is not in the run's store: start it with ARTIFACTS_URL as in ${agentEnv}`;
  return failedResult("ArtifactMissing", sentence);
}

async function deliveryOf(order: StepOrder, { mintTokens }: BrokerOptions): Promise<Delivery> {
  const { request, agent, trace } = order;
  const data = { ...request, ...(await mintTokens(order)) };
  const event = stepRequested(data, { agent, source: "/agentic/run", ...trace });
  const { headers, body } = HTTP.binary(event);
  const encoded = Object.entries(headers).map(([name, value]) => [
    name,
    name.startsWith("ce-") ? encodeHeader(String(value)) : String(value),
  ]);
  return { headers: Object.fromEntries(encoded), body: body as string };
}

/** HTTP binding of CloudEvents 1.0, 3.1.3.2: an item, and with it the subject, may hold any character. */
function encodeHeader(value: string): string {
  return value.replace(/[^\x21-\x7e]+|["%]/gu, encodeURIComponent);
}

function overdue(agent: ReachedAgent, order: StepOrder, lastAnswer: string): StepResult {
  return failedResult(
    "DeadlineExceeded",
    `${agent.title} did not end the step ${untilDeadline(order)}; the last time it ${lastAnswer}`,
  );
}

function untilDeadline({ deadline }: StepOrder): string {
  return `by its deadline, ${deadline.toISOString()}: raise the step's timeout or spec.deadlines if it needs longer`;
}
