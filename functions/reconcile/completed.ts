import type { CloudEvent } from "cloudevents";
import { z } from "zod";
import { namespaceIn } from "../../engine/identity.ts";
import { failedResult, type StepResult } from "../../engine/result.ts";
import type { ResultStore } from "../../lib/durable/results.ts";
import type { StepEnd } from "../../lib/durable/step-store.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Logger } from "../../lib/log.ts";
import { parseStepCompleted } from "../../lib/step-events.ts";
import type { VerifyStepToken } from "../../lib/token.ts";

export interface CompletedDeps {
  readonly verifyToken: VerifyStepToken;
  /** Stands where the step has no result yet, nobody works on it, and its workload is not deleted ("dropped"). */
  readonly recordResult: (
    identity: string,
    outcome: StepResult["outcome"],
    digest: string,
  ) => Promise<StepEnd | "held" | "dropped">;
  readonly results: ResultStore;
  readonly artifacts: Artifacts;
  readonly log: Logger;
}

const claimSchema = z.object({ request: z.string(), token: z.string() });

/**
 * Takes the result of an agent that keeps no records of its own: it sends the step's token back, which proves that it was asked. A
 * result that is none ends the step with a sentence. Any other event is a hint; the agent has recorded its result by itself.
 */
export async function takeResult(event: CloudEvent<unknown>, deps: CompletedDeps): Promise<void> {
  const claim = claimSchema.safeParse(event.data).data;
  if (!claim) return;
  const { sub, jti } = await deps.verifyToken(claim.token);
  if (jti !== claim.request)
    throw new TerminalError("InvalidToken", "the token in the answer is that of another request");
  const result = resultIn(event);
  const workload = { namespace: namespaceIn(jti), uid: sub };
  const digest = await deps.results.put(workload, result);
  const recorded = await deps.recordResult(jti, result.outcome, digest);
  if (recorded === "dropped") {
    // Its bytes came after those of the workload had been deleted: nobody would delete them again.
    await deps.artifacts.drop(workload);
    return;
  }
  deps.log.info({ identity: jti, outcome: result.outcome, reason: result.reason }, "result taken from an event");
}

function resultIn(event: CloudEvent<unknown>): StepResult {
  try {
    return parseStepCompleted(event).result;
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error;
    return failedResult("InvalidResult", `the agent's answer is no step result: ${error.message}`);
  }
}
