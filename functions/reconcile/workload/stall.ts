import { REASON } from "../reasons.ts";
import type { Observed } from "./observe.ts";
import { LATE_MS, type Progress } from "./progress.ts";
import { notReady } from "./resolve.ts";
import type { StepView } from "./step-view.ts";

/** What keeps a run from going on, and is none of its own failures. */
export interface Stall {
  readonly reason: string;
  readonly message: string;
}

/** What of it can be seen. Pure. */
export function stallOf(observed: Observed, now: Date): Stall | undefined {
  return engineSilent(observed, now) ?? (observed.progress && stepsNotTakenUp(observed.progress));
}

/** The engine does not look at the run: not at a new one, nor at what was settled in it. */
function engineSilent({ runObject }: Observed, now: Date): Stall | undefined {
  if (runObject?.suspended) return undefined;
  const since = runObject?.settledUnseenAt ?? (runObject?.phase === "" ? runObject.createdAt : undefined);
  if (!since || now.getTime() - since.getTime() < LATE_MS) return undefined;
  return {
    reason: REASON.engineSilent,
    message: `Argo's controller has not gone on with the Workflow since ${since.toISOString()}. 'kubectl get pods -A -l app=workflow-controller' says whether it runs`,
  };
}

/** Steps that nobody takes up, while nobody works on any: their agent does not start, or cannot be reached. */
function stepsNotTakenUp({ steps, lateAgents }: Progress): Stall | undefined {
  const open = steps.filter(({ node, outcome }) => node.phase === "Running" && !outcome);
  if (open.some(({ work }) => work?.state.held)) return undefined;
  const [name, agent] = [...lateAgents][0] ?? [];
  if (name === undefined) return undefined;
  const its = open.filter(({ step }) => step.agent === name);
  const late = its.find(({ work }) => work?.state.undeliverable) ?? its[0];
  if (agent === null)
    return { reason: REASON.agentNotFound, message: `Agent ${name} was deleted: apply it again, and the run goes on` };
  if (agent?.status?.conditions?.some(({ type, status }) => type === "Ready" && status !== "True"))
    return {
      reason: REASON.agentNotReady,
      message: `${notReady(agent)}: 'kubectl -n ${agent.metadata.namespace} describe agent ${agent.metadata.name}'`,
    };
  return late && (undeliverable(late, name) ?? notTakenUp(late, name));
}

function undeliverable({ work }: StepView, agent: string): Stall | undefined {
  const why = work?.state.undeliverable;
  if (!why) return undefined;
  return {
    reason: REASON.stepUndeliverable,
    message: `the Broker could not hand a step to agent ${agent} (${why}); it is tried again until the step's deadline. 'kubectl get agents -A' and the agent's log say what is wrong`,
  };
}

function notTakenUp({ step }: StepView, agent: string): Stall {
  return {
    reason: REASON.stepNotTakenUp,
    message: `agent ${agent} has not taken up step ${step.name} for ${LATE_MS / 1000} s. 'kubectl get agents -A' says whether it is ready; its pods have the label serving.knative.dev/service=${agent.replace(/^.*\//, "")}`,
  };
}
