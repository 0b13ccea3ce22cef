import { hostname } from "node:os";
import { agentGraph } from "../../compose-agents.ts";
import { parseDuration } from "../../crd/duration.ts";
import { createAgentApp } from "../../lib/agent-app.ts";
import type { ResultStore } from "../../lib/durable/results.ts";
import { createRunDurably } from "../../lib/durable/run.ts";
import { egressAccess } from "../../lib/edges/egress-access.ts";
import { readEgressUsage } from "../../lib/edges/egress-usage.ts";
import type { Logger } from "../../lib/log.ts";
import { accessKey, createAccessOpener } from "../../lib/sealed-access.ts";
import { createStepTokenVerifier } from "../../lib/token.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import { inProcessAgent, type ReachedAgent, remoteAgent } from "./agents.ts";
import type { SigningKey } from "./signing-key.ts";
import type { Stack } from "./stack.ts";

/** Whose key on one machine is the same for all agents: their settings are one file. */
export const LOCAL_AGENTS = "local";
/** How long the step of a killed command waits for its successor. */
const LEASE_MS = 5000;

/** The agents of a run, by the name that its steps use. Ours are apps in this process, made of what serves them in a cluster. */
export async function connectAgents(
  { workload, served }: ResolvedWorkload,
  stack: Stack,
  { results, keys, log }: { results: ResultStore; keys: SigningKey; log: Logger },
): Promise<ReadonlyMap<string, ReachedAgent>> {
  const deps = {
    runDurably: createRunDurably({
      store: stack.store,
      results,
      holder: `agentic run, process ${process.pid} on ${hostname()}`,
      isDead: isDeadHolder,
      leaseTtlMs: LEASE_MS,
      keepMs: parseDuration(workload.spec.freshness),
      recursionLimit: stack.settings.RECURSION_LIMIT,
      now: () => new Date(),
      modelCalls: stack.modelCalls,
      egress: (step) => readEgressUsage(egressAccess(stack.edges.egressProxy, step)),
    }),
    verifyToken: createStepTokenVerifier([keys.publicKey]),
    openAccess: createAccessOpener(accessKey(keys.privateKey, LOCAL_AGENTS)),
    log,
    draining: stack.stopping,
  };
  const agents = new Map<string, ReachedAgent>();
  for (const [name, by] of served) {
    if ("url" in by) agents.set(name, remoteAgent(name, by.url));
    else {
      const graph = await agentGraph(by.function);
      if (!graph) throw new Error(`agent ${name} ships with FUNCTION ${by.function}, which this version does not have`);
      agents.set(name, inProcessAgent(name, createAgentApp(graph(stack.edges), deps)));
    }
  }
  return agents;
}

/** Of a process on this host it can be seen that it died: its successor need not wait for its leases to expire. */
function isDeadHolder(holder: string): boolean {
  const [, pid, host] = /process (\d+) on (.+)$/.exec(holder) ?? [];
  if (pid === undefined || host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
