import { setTimeout as sleep } from "node:timers/promises";
import type { BaseMessageLike } from "@langchain/core/messages";
import { z } from "zod";
import { RetryableError, TerminalError } from "../../errors.ts";
import type { Logger } from "../../log.ts";
import type { Message } from "./prompt.ts";

export interface ProviderOptions {
  /** Of an OpenAI-compatible API, e.g. LiteLLM's, with /v1. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

export interface ProviderRequest {
  /** Asked in this order, each until it does not answer. */
  readonly models: readonly string[];
  readonly messages: readonly Message[];
  /** Name and JSON schema of the answer. */
  readonly purpose: string;
  readonly schema: Record<string, unknown>;
  readonly maxOutputTokens: number;
  readonly signal: AbortSignal;
}

export interface ProviderAnswer {
  readonly text: string;
  readonly model: string;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Why it does not answer. Refusing is paid for, too. */
  readonly refusal?: string;
  /** As the gateway says; undefined when it does not. */
  readonly costUsd?: number;
}

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
/** A provider that wants a longer pause is given up for now; the step is delivered again later. */
const MAX_PAUSE_MS = 5_000;

/**
 * One answer of the first model that gives one.
 * @throws TerminalError ModelRefused; RetryableError ModelUnavailable; the signal's reason when it aborts
 */
export async function askProvider(options: ProviderOptions, request: ProviderRequest): Promise<ProviderAnswer> {
  const troubles: string[] = [];
  let retryAfterSeconds = 1;
  for (const model of request.models) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const outcome = await callOnce(options, request, model);
      if ("answer" in outcome) return outcome.answer;
      const { trouble, retryAfterMs } = outcome;
      options.log.warn({ model, attempt, purpose: request.purpose, trouble }, "the model did not answer");
      if (attempt === 1) troubles.push(`${model}: ${trouble}`);
      const pause = retryAfterMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (retryAfterMs !== undefined) retryAfterSeconds = Math.max(retryAfterSeconds, Math.ceil(retryAfterMs / 1000));
      if (pause > MAX_PAUSE_MS) break;
      if (attempt < ATTEMPTS) await pauseFor(pause, request.signal);
    }
  }
  throw new RetryableError("ModelUnavailable", `no model answered: ${troubles.join("; ")}`, { retryAfterSeconds });
}

type Outcome =
  | { readonly answer: ProviderAnswer }
  | { readonly trouble: string; readonly retryAfterMs: number | undefined };

/** What the wire said. The client library throws a completion away that was cut off or filtered, though it is paid for. */
interface Wire {
  status?: number;
  headers?: Headers;
  body?: string;
}

const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: z.object({ prompt_tokens: z.int().min(0), completion_tokens: z.int().min(0) }).nullish(),
});

async function callOnce(options: ProviderOptions, request: ProviderRequest, model: string): Promise<Outcome> {
  const wire: Wire = {};
  const timeout = AbortSignal.timeout(options.timeoutMs);
  const signal = AbortSignal.any([request.signal, timeout]);
  try {
    await invoke(options, request, model, wire, signal);
  } catch (error) {
    if (request.signal.aborted) throw request.signal.reason;
    if (completionOf(wire)) return outcomeOf(wire, model);
    const detail = (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
    const { status } = wire;
    if (timeout.aborted) return { trouble: `no answer within ${options.timeoutMs / 1000} s`, retryAfterMs: undefined };
    if (status !== undefined && status >= 400 && status < 500 && ![408, 409, 425, 429].includes(status))
      throw new TerminalError("ModelRefused", `${model} refused the request with ${status}: ${detail}`, {
        cause: error,
      });
    return { trouble: status === undefined ? detail : `${status} ${detail}`, retryAfterMs: retryAfter(wire.headers) };
  }
  return outcomeOf(wire, model);
}

/** The client library is loaded at the first call: a start without a model does not pay for it. */
async function invoke(
  options: ProviderOptions,
  request: ProviderRequest,
  model: string,
  wire: Wire,
  signal: AbortSignal,
): Promise<void> {
  const { ChatOpenAI } = await import("@langchain/openai");
  const chat = new ChatOpenAI({
    model,
    apiKey: options.apiKey,
    temperature: 0,
    maxTokens: request.maxOutputTokens,
    // Attempts are counted here, where Retry-After, the deadline and the fallbacks are known.
    maxRetries: 0,
    configuration: {
      baseURL: options.baseUrl,
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        wire.status = response.status;
        wire.headers = response.headers;
        wire.body = await response.clone().text();
        return response;
      },
    },
  });
  await chat.invoke(request.messages as BaseMessageLike[], {
    signal,
    response_format: {
      type: "json_schema",
      json_schema: { name: request.purpose, schema: request.schema, strict: true },
    },
  });
}

function completionOf({ status, body }: Wire): z.infer<typeof completionSchema> | undefined {
  if (status !== 200 || body === undefined) return undefined;
  try {
    return completionSchema.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

function outcomeOf(wire: Wire, model: string): Outcome {
  const completion = completionOf(wire);
  const choice = completion?.choices[0];
  if (!completion || !choice) return { trouble: "its answer is no chat completion", retryAfterMs: undefined };
  const refusal =
    choice.message.refusal || (choice.finish_reason === "content_filter" ? "its content filter stopped it" : undefined);
  const cost = Number(wire.headers?.get("x-litellm-response-cost") ?? Number.NaN);
  return {
    answer: {
      text: choice.message.content ?? "",
      model,
      inputTokens: completion.usage?.prompt_tokens ?? 0,
      outputTokens: completion.usage?.completion_tokens ?? 0,
      ...(refusal ? { refusal: refusal.slice(0, 300) } : {}),
      ...(Number.isFinite(cost) && cost >= 0 ? { costUsd: cost } : {}),
    },
  };
}

/** Seconds, or a date. */
function retryAfter(headers: Headers | undefined): number | undefined {
  const value = headers?.get("retry-after");
  if (!value) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
