import { trace } from "@opentelemetry/api";
import type { Evaluation } from "../../engine/result.ts";

/** Of OpenTelemetry's conventions for generative AI. */
export const EVALUATION = {
  event: "gen_ai.evaluation.result",
  name: "gen_ai.evaluation.name",
  score: "gen_ai.evaluation.score.value",
  explanation: "gen_ai.evaluation.explanation",
} as const;

/** Notes a check's result on the span of the node that did it; Langfuse shows it as a score of the run's trace. Nothing where telemetry is off. */
export function recordEvaluation({ name, score, explanation }: Evaluation): void {
  trace.getActiveSpan()?.addEvent(EVALUATION.event, {
    [EVALUATION.name]: name,
    [EVALUATION.score]: score,
    ...(explanation === undefined ? {} : { [EVALUATION.explanation]: explanation }),
  });
}
