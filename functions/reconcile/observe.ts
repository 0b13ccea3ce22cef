import { z } from "zod";
import { admissionProblems } from "../../crd/admission.ts";
import { type AgentWorkload, agentWorkloadSchema } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import { type Artifacts, getJson } from "../../lib/edges/artifacts.ts";
import type { Kube, KubeObject, ObjectRef } from "../../lib/edges/kube.ts";
import type { StepOutcome } from "../../pipeline/dispatch.ts";
import { type Findings, findingsSchema } from "../../pipeline/findings.ts";
import { findingsOf, type Outcomes } from "../../pipeline/outcomes.ts";
import { orderOf, type RunOrder } from "../../pipeline/run-order.ts";
import { stagesOf } from "../../pipeline/stages.ts";
import { type GateView, gateResult, gateVerdict, type Review, reviewSchema, viewGate } from "./gate.ts";
import { viewWorkflow, type WorkflowView } from "./nodes.ts";
import { type ReadStates, type StepView, walkChain, walkOne } from "./walk.ts";
import { WORKLOAD_LABEL, workflowName } from "./workflow.ts";

/** All that is, of one workload: what wants it, what Argo and the records say. Nothing of it is remembered from an earlier pass. */
export interface Observed {
  readonly object: KubeObject;
  readonly spec: { readonly workload: AgentWorkload; readonly order: RunOrder } | { readonly problem: string };
  /** The Workflow of the run that the spec asks for. */
  readonly workflow?: WorkflowView;
  /** Workflows of other specs. */
  readonly others: readonly WorkflowView[];
  /** The steps whose nodes are there. */
  readonly steps: readonly StepView[];
  readonly outcomes: Outcomes;
  readonly gate?: GateView;
  /** status.review, where it is about this run's findings. */
  readonly review?: Review;
}

export interface ObserveDeps {
  readonly kube: Kube;
  readonly artifacts: Artifacts;
  readonly readStates: ReadStates;
}

/** @returns undefined for a workload that is not there. @throws RetryableError or TerminalError of the edges */
export async function observe(ref: ObjectRef, deps: ObserveDeps): Promise<Observed | undefined> {
  const object = await deps.kube.workloads.get(ref);
  if (!object) return undefined;
  const { namespace, name, uid } = object.metadata;
  const labelled = await deps.kube.workflows.list({ namespace, labelSelector: `${WORKLOAD_LABEL}=${name}` });
  // One of an earlier workload of the same name is on its way out with its owner.
  const workflows = labelled.filter((one) => ownerUid(one) === uid).map(viewWorkflow);
  const spec = readSpec(object);
  const name0 = "order" in spec ? workflowName(spec.order) : undefined;
  const workflow = workflows.find((one) => one.name === name0);
  const seen = { object, spec, others: workflows.filter((one) => one !== workflow) };
  if (!workflow || !("order" in spec)) return { ...seen, steps: [], outcomes: new Map() };
  return { ...seen, workflow, ...(await observeRun(spec, workflow, object, deps)) };
}

async function observeRun(
  { order, workload }: { order: RunOrder; workload: AgentWorkload },
  workflow: WorkflowView,
  object: KubeObject,
  deps: ObserveDeps,
): Promise<Pick<Observed, "steps" | "outcomes" | "gate" | "review">> {
  const reusableFrom = new Date(workflow.createdAt.getTime() - parseDuration(workload.spec.freshness));
  const review = readReview(object);
  const reviewed = await reviewedFindings(order, review, deps);
  const steps: StepView[] = [];
  const outcomes = new Map<string, readonly StepOutcome[]>();
  let gate: GateView | undefined;
  for (const stage of stagesOf(order.pipeline)) {
    if ("chain" in stage) {
      if (reviewed) for (const [step, ended] of outcomesOf(reviewed)) outcomes.set(step, ended);
      else {
        const walked = await walkChain(stage.chain, order, workflow, reusableFrom, deps.readStates);
        steps.push(...walked.steps);
        for (const [step, ended] of walked.outcomes) outcomes.set(step, ended);
      }
    } else if (stage.step.gate) {
      const node = workflow.nodes.find(({ step }) => step === stage.step.name);
      // The gate's node starts when every entry has ended; one whose record is lost is being done again.
      if (!node || steps.some(({ outcome }) => !outcome)) break;
      gate = viewGate(node, reviewed ?? findingsOf(order, outcomes), workload.spec.review.timeout);
      const verdict = gateVerdict(gate, review);
      if (verdict) outcomes.set(stage.step.name, [gateResult(gate, verdict)]);
      if (verdict?.decision !== "approved") break;
    } else {
      const view = await walkOne(stage.step, order, workflow, outcomes, reusableFrom, deps.readStates);
      if (!view) break;
      steps.push(view);
      if (view.outcome) outcomes.set(stage.step.name, [view.outcome]);
    }
  }
  return {
    steps,
    outcomes,
    ...(gate ? { gate } : {}),
    ...(review && gate && review.digest === gate.digest ? { review } : {}),
  };
}

/** Once the gate is open its findings are fixed: what was shown is what is reported, whatever becomes of the records. */
async function reviewedFindings(
  order: RunOrder,
  review: Review | undefined,
  { artifacts }: ObserveDeps,
): Promise<Findings | undefined> {
  if (!review || review.run !== order.run) return undefined;
  return getJson(artifacts, `${order.workload.uid}/${review.digest}.json`, findingsSchema);
}

function outcomesOf(findings: Findings): Outcomes {
  const outcomes = new Map<string, StepOutcome[]>();
  for (const { item, steps } of findings.items)
    for (const [step, result] of Object.entries(steps))
      outcomes.set(step, [...(outcomes.get(step) ?? []), { ...result, item }]);
  return outcomes;
}

function readSpec(object: KubeObject): Observed["spec"] {
  const { namespace, name, uid } = object.metadata;
  const parsed = agentWorkloadSchema.omit({ status: true }).safeParse({
    apiVersion: object["apiVersion"],
    kind: object["kind"],
    metadata: { namespace, name, uid },
    spec: object.spec,
  });
  if (!parsed.success) return { problem: z.prettifyError(parsed.error) };
  const problems = admissionProblems(parsed.data.spec.sites, new Set());
  if (problems.length > 0)
    return { problem: problems.map(({ path, message }) => `${path.join(".")}: ${message}`).join("\n") };
  return { workload: parsed.data, order: orderOf(parsed.data, uid) };
}

function readReview({ status }: KubeObject): Review | undefined {
  return z.object({ review: reviewSchema }).safeParse(status).data?.review;
}

function ownerUid(object: KubeObject): string | undefined {
  const owners = z
    .array(z.looseObject({ kind: z.string(), uid: z.string() }))
    .safeParse(object.metadata["ownerReferences"]);
  return owners.data?.find(({ kind }) => kind === "AgentWorkload")?.uid;
}
