import type { Attributes } from "@opentelemetry/api";
import type { Item, WorkloadRef } from "../../engine/result.ts";

/** Names of attributes that no semantic convention has. */
export const ATTRIBUTE = {
  namespace: "agentic.workload.namespace",
  workload: "agentic.workload.name",
  uid: "agentic.workload.uid",
  run: "agentic.run",
  pipeline: "agentic.pipeline",
  step: "agentic.step",
  item: "agentic.item",
  identity: "agentic.step.identity",
  /** How a step, gate or run ended. */
  outcome: "agentic.outcome",
  decidedBy: "agentic.decision.by",
  decidedHow: "agentic.decision.how",
  /** True where no person was asked. */
  automatic: "agentic.decision.automatic",
  comment: "agentic.decision.comment",
  reason: "agentic.reason",
  /** US dollars. */
  cost: "agentic.cost_usd",
  /** True where the answer was there from before: a finished step asked again, a question that was paid for. */
  recorded: "agentic.recorded",
} as const;

const MAX_ITEM = 200;

interface OfRun {
  readonly workload: WorkloadRef;
  readonly run: string;
  /** namespace/name. Absent: who asked for the step did not say. */
  readonly pipeline?: string | undefined;
}

/** Whom a span belongs to: on every span of a run. */
export function runAttributes({ workload, run, pipeline }: OfRun): Attributes {
  return {
    [ATTRIBUTE.namespace]: workload.namespace,
    [ATTRIBUTE.workload]: workload.name,
    [ATTRIBUTE.uid]: workload.uid,
    [ATTRIBUTE.run]: run,
    ...(pipeline === undefined ? {} : { [ATTRIBUTE.pipeline]: pipeline }),
  };
}

export function stepAttributes(step: string, item?: Item): Attributes {
  const text = item === undefined || typeof item === "string" ? item : JSON.stringify(item);
  return { [ATTRIBUTE.step]: step, ...(text === undefined ? {} : { [ATTRIBUTE.item]: text.slice(0, MAX_ITEM) }) };
}
