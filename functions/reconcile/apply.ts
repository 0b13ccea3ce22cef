import { CloudEvent } from "cloudevents";
import pLimit from "p-limit";
import { canonicalJson } from "../../lib/canonical.ts";
import type { StepRequested } from "../../lib/durable/requests.ts";
import type { Artifacts } from "../../lib/edges/artifacts.ts";
import type { SendEvent } from "../../lib/edges/broker.ts";
import type { JsonPatchOperation, Kube, Written } from "../../lib/edges/kube.ts";
import { STEP_EXPECTED, STEP_REQUESTED, type StepRequest } from "../../lib/step.ts";
import { subjectOf } from "../../lib/step-app.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { RunOrder } from "../../pipeline/run-order.ts";
import type { Action } from "./action.ts";
import type { GateView } from "./gate.ts";
import { NUDGED_AT, settlePatch, type WorkflowView } from "./nodes.ts";
import type { Observed } from "./observe.ts";
import { FINALIZER } from "./plan.ts";
import { traceparent } from "./trace.ts";
import type { StepView } from "./walk.ts";

export interface ApplyDeps {
  readonly kube: Kube;
  readonly artifacts: Artifacts;
  readonly send: SendEvent;
  /** Of a workload's steps, those that are to be sent now (lib/durable/requests.ts). */
  readonly claimRequests: <T extends StepRequested>(uid: string, requests: readonly T[]) => Promise<T[]>;
  readonly withdrawRequest: (identity: string) => Promise<void>;
  readonly dropSteps: (uid: string) => Promise<void>;
  /** Mints the token of one step (lib/token.ts). */
  readonly mintToken: (order: RunOrder, permit: Permit, expiresAt: Date) => Promise<string>;
  /** Mints the link of a review (lib/review-link.ts). */
  readonly reviewUrl: (gate: GateView) => Promise<string>;
  readonly now: () => Date;
}

/** What one step may do. */
interface Permit {
  readonly identity: string;
  readonly item?: string | undefined;
  readonly egressAllow: readonly string[];
  /** US dollars of the whole run, a decimal string. */
  readonly budget?: string | undefined;
}

/** CloudEvent type that says a review waits; its data has the link that permits the decision. */
const REVIEW_REQUESTED = "dev.agentic.review.requested";
const SOURCE = "/agentic/reconcile";
/** Of a step's token: one that ran out while its request was on its way comes back as a dead letter, and is sent anew. */
const TOKEN_LIFE_MS = 10 * 60_000;
/** Requests on their way to the Broker at once. */
const SENDS_AT_ONCE = 16;

/** Does it. "conflict": what it was decided on has changed; look again. @throws what the edges throw */
export async function apply(action: Action, observed: Observed, deps: ApplyDeps): Promise<Written> {
  const { object } = observed;
  const ref = { namespace: object.metadata.namespace, name: object.metadata.name };
  switch (action.type) {
    case "addFinalizer":
      return deps.kube.workloads.merge(ref, withFinalizers(observed, [...object.metadata.finalizers, FINALIZER]));
    case "createWorkflow":
      await deps.kube.workflows.create(ref.namespace, action.body);
      return "written";
    case "stopWorkflow":
      return deps.kube.workflows.merge(refOf(action.workflow), { spec: { shutdown: "Terminate" } });
    case "deleteWorkflow":
      return deps.kube.workflows.remove(refOf(action.workflow));
    case "cleanUp":
      await deps.dropSteps(object.metadata.uid);
      await deps.artifacts.drop(object.metadata.uid);
      return deps.kube.workloads.merge(
        ref,
        withFinalizers(
          observed,
          object.metadata.finalizers.filter((finalizer) => finalizer !== FINALIZER),
        ),
      );
    case "settle": {
      const operations: JsonPatchOperation[] = settlePatch(action.workflow, action.settlements, deps.now());
      return deps.kube.workflows.patch(refOf(action.workflow), operations);
    }
    case "nudge":
      return deps.kube.workflows.merge(refOf(action.workflow), {
        metadata: { annotations: { [NUDGED_AT]: deps.now().toISOString() } },
      });
    case "publish": {
      const { uid } = object.metadata;
      await deps.artifacts.put(uid, canonicalJson(action.findings), "json");
      if (action.decision) await deps.artifacts.put(uid, canonicalJson(action.decision), "json");
      return "written";
    }
    case "askForReview":
      await deps.send(reviewRequested(action.gate, await deps.reviewUrl(action.gate)));
      return "written";
    case "expect":
      await allOf(action.steps.map((step) => deps.send(stepExpected(step, action.order))));
      return "written";
    case "dispatch":
      await dispatch(action.steps, observed, deps);
      return "written";
  }
}

/** Waits for all, then throws what the first that failed threw: nothing is left running behind an error. */
async function allOf(promises: readonly Promise<unknown>[]): Promise<void> {
  for (const one of await Promise.allSettled(promises)) if (one.status === "rejected") throw one.reason;
}

async function dispatch(steps: readonly StepView[], observed: Observed, deps: ApplyDeps): Promise<void> {
  if (!("order" in observed.spec)) return;
  const { order, workload } = observed.spec;
  // A result that does not count is a failure of an earlier attempt, or stale.
  const requests = steps.map((view) => ({ ...view, startAnew: view.state.result !== undefined }));
  const claimed = await deps.claimRequests(order.workload.uid, requests);
  const atOnce = pLimit(SENDS_AT_ONCE);
  const send = async (view: StepView): Promise<void> => {
    const permit = {
      identity: view.identity,
      item: view.item,
      egressAllow: workload.spec.egress.allow,
      budget: workload.spec.budget?.maxUsd,
    };
    try {
      await deps.send(await stepRequested(view, order, permit, observed.workflow?.createdAt, deps));
    } catch (error) {
      await deps.withdrawRequest(view.identity);
      throw error;
    }
  };
  await allOf(claimed.map((view) => atOnce(send, view)));
}

async function stepRequested(
  view: StepView,
  order: RunOrder,
  permit: Permit,
  startedAt: Date | undefined,
  deps: ApplyDeps,
): Promise<CloudEvent<unknown>> {
  const { step, input, identity } = view;
  const now = deps.now();
  // A run's deadline counts from its start.
  const from = step.deadline === "run" ? (startedAt ?? now) : now;
  const deadline = new Date(from.getTime() + order.deadlineMs[step.deadline]);
  const request: StepRequest = {
    workload: order.workload,
    run: order.run,
    step: step.name,
    input,
    deadline: deadline.toISOString(),
    retryLimit: order.retryLimit,
    token: await deps.mintToken(order, permit, new Date(now.getTime() + TOKEN_LIFE_MS)),
  };
  return new CloudEvent<unknown>({
    id: identity,
    type: STEP_REQUESTED,
    source: SOURCE,
    subject: subjectOf(request),
    step: step.name,
    traceparent: traceparent(order, identity),
    data: request,
  });
}

function stepExpected({ name }: Step, { workload, run }: RunOrder): CloudEvent<unknown> {
  return new CloudEvent<unknown>({
    id: `${run}-${name}-expected`,
    type: STEP_EXPECTED,
    source: SOURCE,
    subject: subjectOf({ workload, step: name }),
    step: name,
    data: { workload, run },
  });
}

function reviewRequested(gate: GateView, url: string): CloudEvent<unknown> {
  const { workload, run } = gate.findings;
  return new CloudEvent<unknown>({
    id: `${run}-${gate.digest}`,
    type: REVIEW_REQUESTED,
    source: SOURCE,
    subject: `${workload.namespace}/${workload.name}`,
    data: { workload, run, digest: gate.digest, url, timeoutAt: gate.timeoutAt.toISOString() },
  });
}

function refOf({ object }: WorkflowView): { namespace: string; name: string } {
  return { namespace: object.metadata.namespace, name: object.metadata.name };
}

function withFinalizers({ object }: Observed, finalizers: readonly string[]): object {
  return { metadata: { finalizers, resourceVersion: object.metadata.resourceVersion } };
}
