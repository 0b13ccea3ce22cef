import { type Attributes, SpanKind, trace } from "@opentelemetry/api";
import { METRIC, measured } from "../telemetry/metrics.ts";
import { inSpan } from "../telemetry/span.ts";
import type { ModelChoice } from "./choice.ts";
import type { PaidAnswer } from "./ledger.ts";

interface Asked {
  readonly purpose: string;
  readonly choice: Pick<ModelChoice, "maxOutputTokens" | "reasoningEffort">;
}

/** One call to a provider, by OpenTelemetry's conventions for generative AI. */
export function inModelCall<T>(model: string, { purpose, choice }: Asked, work: () => Promise<T>): Promise<T> {
  const attributes: Attributes = {
    ...ofModel(model),
    "gen_ai.request.max_tokens": choice.maxOutputTokens,
    "agentic.purpose": purpose,
    ...(choice.reasoningEffort === undefined ? {} : { "gen_ai.request.reasoning_effort": choice.reasoningEffort }),
  };
  return measured(METRIC.modelDuration, ofModel(model), () =>
    inSpan(`chat ${model}`, { kind: SpanKind.CLIENT, attributes }, work),
  );
}

/** What the call under way cost, as the ledger books it. */
export function notePaid({ model, usage, costUsd, refusal }: PaidAnswer): void {
  METRIC.modelCost.record(costUsd, { "gen_ai.request.model": model });
  METRIC.modelTokens.record(usage.inputTokens, { ...ofModel(model), "gen_ai.token.type": "input" });
  METRIC.modelTokens.record(usage.outputTokens, { ...ofModel(model), "gen_ai.token.type": "output" });
  trace.getActiveSpan()?.setAttributes({
    "gen_ai.response.model": model,
    "gen_ai.usage.input_tokens": usage.inputTokens,
    "gen_ai.usage.output_tokens": usage.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": usage.cachedInputTokens,
    "gen_ai.usage.cache_creation.input_tokens": usage.cacheWriteTokens,
    "gen_ai.usage.reasoning_tokens": usage.reasoningTokens,
    "gen_ai.usage.cost": costUsd,
    ...(refusal === undefined ? {} : { "agentic.refusal": refusal }),
  });
}

/** The provider is the API that is spoken; who answers behind a gateway is the gateway's to say. */
function ofModel(model: string) {
  return { "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": model };
}
