import type { StepState } from "../../lib/durable/requests.ts";
import { NO_USAGE, type StepInput, type StepResult } from "../../lib/step.ts";
import { identityOf, type StepOutcome, stepInput } from "../../pipeline/dispatch.ts";
import type { Outcomes } from "../../pipeline/outcomes.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import type { NodeView, WorkflowView } from "./nodes.ts";

/** A step of this run whose node is there: what it works on, and how far it is. */
export interface StepView {
  readonly step: Step;
  readonly item?: string;
  readonly node: NodeView;
  readonly input: StepInput;
  readonly identity: string;
  /** This start of this node in this Workflow: what a failure belongs to. */
  readonly attempt: string;
  readonly state: StepState;
  /** How it ended; absent: it is still to be done. */
  readonly outcome?: StepResult;
}

const RESUMED_BEFORE = "the step before it was resumed in Argo without a result";

export type ReadStates = (identities: readonly string[]) => Promise<readonly StepState[]>;

/** The value of a settled node's output. */
export function outputOf(result: StepResult, identity: string): string {
  return `${result.outcome} ${identity}`;
}

/** The steps of a fan-out's chain, link by link: a link's input is how the one before it ended. */
export async function walkChain(
  chain: readonly Step[],
  order: RunOrder,
  workflow: WorkflowView,
  reusableFrom: Date,
  read: ReadStates,
): Promise<{ steps: StepView[]; outcomes: Outcomes }> {
  const steps: StepView[] = [];
  const outcomes = new Map<string, StepOutcome[]>();
  for (const step of chain) {
    const nodes = workflow.nodes.filter((node) => node.step === step.name && node.index !== undefined);
    const asked = nodes.flatMap((node) => {
      const item = order.lists.sites[node.index ?? -1];
      if (item === undefined) return [];
      const input = stepInput(step, order.params, outcomes, item);
      if (step.after.some((name) => chain.some((link) => link.name === name) && !input.from[name]?.length)) return [];
      return [{ step, item, node, input }];
    });
    const ended: StepOutcome[] = [];
    for (const view of await viewSteps(asked, order, workflow, reusableFrom, read)) {
      // Its node is there although the link before it did not succeed: somebody resumed that by hand. It ends, and counts for nothing.
      if (step.after.some((name) => view.input.from[name]?.some(({ outcome }) => outcome === "failed"))) {
        steps.push({ ...view, outcome: failed("NothingToWorkOn", RESUMED_BEFORE) });
        continue;
      }
      steps.push(view);
      if (view.outcome) ended.push({ ...view.outcome, ...(view.item ? { item: view.item } : {}) });
    }
    outcomes.set(step.name, ended);
  }
  return { steps, outcomes };
}

/** A step that runs once. */
export async function walkOne(
  step: Step,
  order: RunOrder,
  workflow: WorkflowView,
  outcomes: Outcomes,
  reusableFrom: Date,
  read: ReadStates,
): Promise<StepView | undefined> {
  const node = workflow.nodes.find((candidate) => candidate.step === step.name);
  if (!node) return undefined;
  const input = stepInput(step, order.params, outcomes);
  const [view] = await viewSteps([{ step, node, input }], order, workflow, reusableFrom, read);
  return view;
}

async function viewSteps(
  asked: readonly { step: Step; item?: string; node: NodeView; input: StepInput }[],
  order: RunOrder,
  workflow: WorkflowView,
  reusableFrom: Date,
  read: ReadStates,
): Promise<StepView[]> {
  const named = asked.map((one) => ({ ...one, identity: identityOf(order.workload.uid, one.step, one.input) }));
  const states = await read(named.map(({ identity }) => identity));
  return named.map((one, at) => {
    const attempt = `${workflow.uid}/${one.node.startedAt}`;
    const state = states[at] ?? { requested: false, held: false };
    const outcome = outcomeOf(one.node, one.identity, attempt, state, reusableFrom);
    return { ...one, attempt, state, ...(outcome ? { outcome } : {}) };
  });
}

/**
 * A record counts when it is of this attempt, or a success that is still fresh: a failure never outlives its attempt, so that
 * what Argo retries, and what a later run asks again, is tried again. The node says what people did in Argo.
 */
export function outcomeOf(
  node: NodeView,
  identity: string,
  attempt: string,
  state: StepState,
  reusableFrom: Date,
): StepResult | undefined {
  const { result, finishedAt } = state;
  const fresh = result?.outcome === "succeeded" && finishedAt !== undefined && finishedAt >= reusableFrom;
  const record = result && (state.attempt === attempt || fresh) ? result : undefined;
  switch (node.phase) {
    case "Running":
      return record;
    case "Succeeded":
      if (record) return record;
      // Settled by us, and its record is lost: done again, for the steps after it need what it left.
      if (node.output === outputOf({ outcome: "succeeded", artifacts: {}, usage: NO_USAGE }, identity))
        return undefined;
      return failed("ResumedByHand", "its node was resumed in Argo without a result");
    case "Failed":
    case "Error":
      if (record?.outcome === "failed") return record;
      return failed("NodeFailed", `its node failed in Argo: ${node.message ?? "no message"}`);
    default:
      return undefined;
  }
}

function failed(reason: string, message: string): StepResult {
  return { outcome: "failed", reason, message, artifacts: {}, usage: NO_USAGE };
}
