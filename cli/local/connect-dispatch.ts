import type { Run } from "../../engine/run.ts";
import type { ResultStore } from "../../lib/durable/results.ts";
import { type HeldAccess, hostAccessFor } from "../../lib/host-access.ts";
import type { Logger } from "../../lib/log.ts";
import { accessKey } from "../../lib/sealed-access.ts";
import { claimsForStep } from "../../lib/step-claims.ts";
import { mintStepTokens, TOKEN_LIFE_MS } from "../../lib/token.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import type { RunFolder } from "../run-folder.ts";
import { writeAgentEnv } from "./agent-env.ts";
import { createBroker } from "./broker.ts";
import { connectAgents, LOCAL_AGENTS } from "./connect-agents.ts";
import type { RunnerEdges } from "./runner.ts";
import type { SigningKey } from "./signing-key.ts";
import { LOCAL_EGRESS, type Stack } from "./stack.ts";
import { waitForAgents } from "./wait-for-agents.ts";

/** A store may be away this long before the command stops. */
export const STORE_PATIENCE_MS = 10_000;
/** An agent in a process of its own must be ready within. */
const AGENT_PATIENCE_MS = 120_000;

export interface DispatchOptions {
  readonly folder: Pick<RunFolder, "agentEnv">;
  readonly keys: SigningKey;
  readonly results: ResultStore;
  readonly hostAccess: HeldAccess;
  readonly say: (line: string) => void;
  readonly log: Logger;
}

/** Connects the agents, and waits for those in processes of their own. @returns how a run's steps are sent to them */
export async function connectDispatch(
  resolved: ResolvedWorkload,
  stack: Stack,
  { folder, keys, results, hostAccess, say, log }: DispatchOptions,
): Promise<(run: Run) => RunnerEdges["dispatch"]> {
  const signal = stack.stopping;
  const agentKey = accessKey(keys.privateKey, LOCAL_AGENTS);
  const proxyKey = accessKey(keys.privateKey, LOCAL_EGRESS);
  const remote = [...resolved.served].flatMap(([name, by]) => ("url" in by ? [{ name, url: by.url }] : []));
  if (remote.length > 0) {
    await writeAgentEnv(folder.agentEnv, { ...(await stack.agentEnv()), HOST_ACCESS_KEY: agentKey });
    const hint = `start it with the settings in ${folder.agentEnv}: set -a; . ${folder.agentEnv}; set +a`;
    say(`Waiting for ${remote.map(({ name, url }) => `agent ${name} at ${url}`).join(", ")}; ${hint}`);
    await waitForAgents(remote, { patienceMs: AGENT_PATIENCE_MS, hint: `; ${hint}`, signal });
  }
  const agents = await connectAgents(resolved, stack, { results, keys, log });
  return (run) =>
    createBroker({
      agents,
      artifacts: stack.edges.artifacts,
      agentEnv: folder.agentEnv,
      signal,
      patienceMs: STORE_PATIENCE_MS,
      mintTokens: ({ identity, step, request, deadline, spentUsd }) => {
        const access = hostAccessFor(step, request.input.item, hostAccess);
        return mintStepTokens(
          claimsForStep(
            { ...run, run: request.run },
            { step, item: request.input.item },
            { identity, deadline, spentUsd },
          ),
          keys.privateKey,
          new Date(Date.now() + TOKEN_LIFE_MS),
          // What was read was checked before the run began.
          access && !("problem" in access) ? { access, agentKey, proxyKey } : undefined,
        );
      },
    });
}
