import { setTimeout as sleep } from "node:timers/promises";
import { Interrupted } from "./interrupted.ts";

export interface AwaitedAgent {
  readonly name: string;
  readonly url: string;
}

const POLL_MS = 500;
const ANSWER_MS = 2000;

/** Waits until each agent's /health/readiness answers 200. @throws Interrupted AgentNotReady after `patienceMs`, or the signal's reason */
export async function waitForAgents(
  agents: readonly AwaitedAgent[],
  { patienceMs, hint, signal }: { patienceMs: number; hint: string; signal: AbortSignal },
): Promise<void> {
  const until = Date.now() + patienceMs;
  await Promise.all(agents.map((agent) => waitForAgent(agent, until, hint, signal)));
}

async function waitForAgent({ name, url }: AwaitedAgent, until: number, hint: string, signal: AbortSignal) {
  const health = new URL("/health/readiness", url);
  for (;;) {
    const found = await look(health, signal);
    signal.throwIfAborted();
    if (found === undefined) return;
    if (Date.now() >= until)
      throw new Interrupted("AgentNotReady", `agent ${name} is not ready: ${health} ${found}${hint}`);
    await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Undefined: it is ready. */
async function look(health: URL, signal: AbortSignal): Promise<string | undefined> {
  try {
    const within = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
    const response = await fetch(health, { signal: within, redirect: "manual" });
    await response.body?.cancel();
    return response.status === 200 ? undefined : `answers ${response.status}`;
  } catch (error) {
    if ((error as Error).name === "TimeoutError") return `does not answer within ${ANSWER_MS / 1000} s`;
    const { cause } = error as Error;
    return `cannot be reached (${cause instanceof Error ? (cause as NodeJS.ErrnoException).code || cause.message : (error as Error).message})`;
  }
}
