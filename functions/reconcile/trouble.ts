import type { Observed } from "./observe.ts";

/** What keeps a run from going on, and is not the run's own. */
export interface Trouble {
  readonly reason: string;
  readonly message: string;
}

/** A cold start, and its place in a queue, take less. */
const PATIENCE_MS = 30_000;

/** What of it can be seen. Pure. */
export function troubleIn(observed: Observed, now: Date): Trouble | undefined {
  return argoSilent(observed, now) ?? stepsNotTakenUp(observed, now);
}

/** Argo does not look at the Workflow: not at a new one, nor at what was settled in it. */
function argoSilent({ workflow }: Observed, now: Date): Trouble | undefined {
  const since = workflow?.settledUnseenAt ?? (workflow?.phase === "" ? workflow.createdAt : undefined);
  if (!since || now.getTime() - since.getTime() < PATIENCE_MS) return undefined;
  return {
    reason: "ArgoSilent",
    message: `Argo's controller has not gone on with the Workflow since ${since.toISOString()}. 'kubectl get pods -A -l app=workflow-controller' says whether it runs`,
  };
}

/** Steps that nobody takes up, while nobody works on any: their function does not start, or cannot be reached. */
function stepsNotTakenUp({ steps }: Observed, now: Date): Trouble | undefined {
  const open = steps.filter(({ node, outcome }) => node.phase === "Running" && !outcome);
  if (open.some(({ state }) => state.held)) return undefined;
  const returned = open.find(({ state }) => state.undeliverable);
  if (returned) {
    const { name } = returned.step;
    const why = returned.state.undeliverable;
    return {
      reason: "StepUndeliverable",
      message: `the Broker could not hand a step to the function ${name} (${why}); it is tried again. 'kubectl -n agentic-system describe ksvc ${name}' says what is wrong with it`,
    };
  }
  const late = open.find(({ state }) => state.requestedAt && now.getTime() - state.requestedAt.getTime() > PATIENCE_MS);
  if (!late) return undefined;
  const { name } = late.step;
  return {
    reason: "StepNotTakenUp",
    message: `no instance of the function ${name} has taken up a step for ${PATIENCE_MS / 1000} s. 'kubectl -n agentic-system get pods -l serving.knative.dev/service=${name}' says whether it starts`,
  };
}
