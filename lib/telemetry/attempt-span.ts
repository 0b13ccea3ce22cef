import { type Attributes, type Link, type Span, SpanKind, trace } from "@opentelemetry/api";
import type { Item, StepResult } from "../../engine/result.ts";
import { ATTRIBUTE, stepAttributes } from "./attributes.ts";
import { withIds } from "./ids.ts";
import { METRIC, measured } from "./metrics.ts";
import { fail, inGiven, inSpan, tracer } from "./span.ts";

interface AttemptedStep {
  readonly step: string;
  readonly identity: string;
  readonly input: { readonly item?: Item | undefined };
}

/** Tokens of a start and of the one before it (lib/durable/step-store.ts): each names its start's span. */
interface NamedStart {
  readonly token: string;
  readonly previous?: string | undefined;
}

/** One start of a step, linked to the one that it resumes. `work` says with `endAttempt` how it ended. */
export async function inAttempt<T>(
  step: AttemptedStep,
  start: NamedStart,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const options = {
    kind: SpanKind.CONSUMER,
    links: linksTo(start.previous),
    attributes: {
      ...attributesOf(step),
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": step.step,
    },
  };
  const ids = { spanId: spanIdOf(start.token) };
  const span = withIds(ids, () => tracer().startSpan(`attempt ${step.step}`, options));
  METRIC.running.record(1, { step: step.step });
  try {
    return await measured(METRIC.attemptDuration, { step: step.step }, () => inGiven(span, work));
  } finally {
    METRIC.running.record(-1, { step: step.step });
  }
}

/** A step that had ended before it was asked for. */
export function inRecorded<T>(step: AttemptedStep, work: () => Promise<T>): Promise<T> {
  METRIC.recorded.record(1, { step: step.step });
  const attributes = { ...attributesOf(step), [ATTRIBUTE.recorded]: true };
  return inSpan(`recorded ${step.step}`, { kind: SpanKind.CONSUMER, attributes }, work);
}

export function endAttempt(step: string, span: Span, { outcome, reason = "", message = "" }: StepResult): void {
  METRIC.attempts.record(1, { step, outcome, reason });
  span.setAttribute(ATTRIBUTE.outcome, outcome);
  if (outcome === "failed") fail(span, { reason, message });
}

function attributesOf({ step, identity, input }: AttemptedStep): Attributes {
  return { ...stepAttributes(step, input.item), [ATTRIBUTE.identity]: identity };
}

function linksTo(previous: string | undefined): Link[] {
  const within = trace.getActiveSpan()?.spanContext();
  if (previous === undefined || !within) return [];
  return [{ context: { ...within, spanId: spanIdOf(previous) }, attributes: { "agentic.link": "resumes" } }];
}

/** A token is a random UUID. */
function spanIdOf(token: string): string {
  return token.replaceAll("-", "").slice(0, 16);
}
