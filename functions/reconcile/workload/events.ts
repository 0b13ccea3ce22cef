import { CloudEvent } from "cloudevents";
import { REVIEW_REQUESTED } from "../../../engine/findings.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import type { Run } from "../../../engine/run.ts";
import { stepTraceparent, traceSeed } from "../../../engine/trace.ts";
import type { RunEnd } from "../../../engine/walk.ts";
import { type AgentRef, stepExpected, stepRequested } from "../../../lib/step-events.ts";
import type { StepTokens } from "../../../lib/token.ts";
import type { GateView } from "./gate.ts";
import type { StepView, StepWork } from "./step-view.ts";

const SOURCE = "/agentic/reconcile";

export function requestEvent(
  run: Run,
  { step, index }: Pick<StepView, "step" | "index">,
  { input }: Pick<StepWork, "input">,
  tokens: StepTokens,
): CloudEvent<unknown> {
  const { revision, ...agent } = agentOf(run, step);
  const request = { workload: run.workload, run: run.run, step: step.name, revision, input, ...tokens };
  return stepRequested(request, {
    agent,
    source: SOURCE,
    traceparent: stepTraceparent(traceSeed(run), step.name, index),
    pipeline: `${run.pipeline.namespace}/${run.pipeline.name}`,
  });
}

export function expectEvent(run: Run, step: PipelineStep): CloudEvent<unknown> {
  const { workload, run: hash } = run;
  return stepExpected({ workload, run: hash, step: step.name }, { agent: agentOf(run, step), source: SOURCE });
}

/** `url`: the link that permits the decision. */
export function reviewRequestedEvent(
  { findings, digest, timeoutAt, step }: GateView,
  url: string,
): CloudEvent<unknown> {
  const { workload, run } = findings;
  return new CloudEvent<unknown>({
    id: `${run}-${digest}`,
    type: REVIEW_REQUESTED,
    source: SOURCE,
    subject: `${workload.namespace}/${workload.name}/${step.name}`,
    datacontenttype: "application/json",
    data: { workload, run, gate: step.name, digest, url, timeoutAt: timeoutAt.toISOString() },
  });
}

/** CloudEvent type that says a run has ended. */
export const RUN_COMPLETED = "dev.agentic.run.completed";

/** The same of one run, however often it is sent. `data`: what the output step leaves for others to read, at most 16,384 characters. */
export function runCompletedEvent(run: Run, end: RunEnd, data: unknown): CloudEvent<unknown> {
  const { workload, pipeline } = run;
  const name = `${pipeline.namespace}/${pipeline.name}`;
  return new CloudEvent<unknown>({
    id: `${run.run}-completed`,
    type: RUN_COMPLETED,
    source: SOURCE,
    subject: `${workload.namespace}/${workload.name}`,
    datacontenttype: "application/json",
    pipeline: name,
    data: { workload, run: run.run, pipeline: name, ...end, ...(data === undefined ? {} : { data }) },
  });
}

/** As the run froze it. */
export function agentOf(
  { pipeline }: Run,
  { agent: name = "" }: PipelineStep,
): AgentRef & { readonly revision: string } {
  const agent = pipeline.agents[name];
  if (!agent) throw new TypeError(`the frozen pipeline ${pipeline.name} has no agent ${name}`);
  return { namespace: agent.namespace, name: agent.name, revision: agent.revision };
}
