import { LangfuseOtelSpanAttributes as LANGFUSE } from "@langfuse/core";
import type { Attributes } from "@opentelemetry/api";
import type { ReadableSpan } from "@opentelemetry/sdk-trace-base";
import packageJson from "../../package.json" with { type: "json" };
import { ATTRIBUTE } from "./attributes.ts";

/** What kinds of spans are called there, by the operation that the conventions for generative AI name. */
const TYPES: Readonly<Record<string, string>> = { chat: "generation", invoke_agent: "agent", invoke_workflow: "chain" };
const INPUT = "gen_ai.input.messages";
const OUTPUT = "gen_ai.output.messages";

/** A span as Langfuse reads it. The span itself stays as it is: other receivers get it, too. */
export function langfuseSpan(span: ReadableSpan): ReadableSpan {
  const attributes = langfuseAttributes(span.attributes, { isRoot: span.parentSpanContext === undefined });
  return Object.create(span, { attributes: { value: attributes, enumerable: true } });
}

export function langfuseAttributes(own: Attributes, { isRoot }: { readonly isRoot: boolean }): Attributes {
  // Sent once, as input and output.
  const { [INPUT]: input, [OUTPUT]: output, ...rest } = own;
  return {
    ...ofRun(own),
    [LANGFUSE.OBSERVATION_TYPE]: TYPES[String(own["gen_ai.operation.name"])] ?? "span",
    ...(own["gen_ai.operation.name"] === "chat" ? ofGeneration(own) : {}),
    ...(input === undefined ? {} : { [LANGFUSE.OBSERVATION_INPUT]: input }),
    ...(output === undefined ? {} : { [LANGFUSE.OBSERVATION_OUTPUT]: output }),
    ...metadataOf(own),
    // What an agent says itself, in Langfuse's own words or others, stands.
    ...rest,
    // Langfuse's processor takes the first span of each process for one, and its lists would show a run once for each attempt.
    [LANGFUSE.IS_APP_ROOT]: isRoot,
  };
}

/** Langfuse wants these on every span. */
function ofRun(own: Attributes): Attributes {
  const { [ATTRIBUTE.namespace]: namespace, [ATTRIBUTE.workload]: workload, [ATTRIBUTE.pipeline]: pipeline } = own;
  return {
    [LANGFUSE.VERSION]: packageJson.version,
    ...(namespace === undefined ? {} : { [LANGFUSE.TRACE_USER_ID]: namespace }),
    ...(workload === undefined ? {} : { [LANGFUSE.TRACE_SESSION_ID]: `${namespace}/${workload}` }),
    ...(pipeline === undefined ? {} : { [LANGFUSE.TRACE_TAGS]: [String(pipeline)] }),
  };
}

/** Langfuse takes JSON here. The parts of a usage are added up there: none of them counts a token twice. */
function ofGeneration(own: Attributes): Attributes {
  const count = (name: string): number => Number(own[`gen_ai.usage.${name}`] ?? 0);
  const [cached, written] = [count("cache_read.input_tokens"), count("cache_creation.input_tokens")];
  const [input, output, reasoning] = [count("input_tokens"), count("output_tokens"), count("reasoning_tokens")];
  const cost = own["gen_ai.usage.cost"];
  const { model: _, ...parameters } = below("gen_ai.request.", own);
  return {
    [LANGFUSE.OBSERVATION_MODEL]: own["gen_ai.response.model"] ?? own["gen_ai.request.model"],
    [LANGFUSE.OBSERVATION_MODEL_PARAMETERS]: JSON.stringify(parameters),
    // A call that was not answered: what it costs is not known, and Langfuse would take nothing for nothing.
    ...(cost === undefined
      ? {}
      : {
          [LANGFUSE.OBSERVATION_USAGE_DETAILS]: JSON.stringify({
            input: Math.max(0, input - cached - written),
            input_cached_tokens: cached,
            input_cache_creation: written,
            output: Math.max(0, output - reasoning),
            output_reasoning_tokens: reasoning,
            total: input + output,
          }),
          [LANGFUSE.OBSERVATION_COST_DETAILS]: JSON.stringify({ total: cost }),
        }),
  };
}

/** Ours, under the last words of their names: Langfuse filters by metadata, and by no other attribute. */
function metadataOf(own: Attributes): Attributes {
  const named = Object.entries(below("agentic.", own));
  return Object.fromEntries(named.map(([name, value]) => [`${LANGFUSE.OBSERVATION_METADATA}.${name}`, value]));
}

/** Attributes whose names begin so, without that. */
function below(prefix: string, own: Attributes): Attributes {
  const named = Object.entries(own).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(named.map(([name, value]) => [name.slice(prefix.length), value]));
}
