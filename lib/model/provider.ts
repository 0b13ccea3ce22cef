import { z } from "zod";
import { RetryableError, TerminalError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { parseJson } from "../parse-json.ts";
import { pause } from "../pause.ts";
import { type ModelChoice, modelsOf } from "./choice.ts";
import { noteInput } from "./content.ts";
import type { TokenUsage } from "./cost.ts";
import { parametersFor } from "./parameters.ts";
import type { Message } from "./prompt.ts";
import { inModelCall } from "./span.ts";

export interface ProviderOptions {
  /** Base URL of an OpenAI-compatible API, e.g. LiteLLM's, with /v1. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** For one attempt. */
  readonly timeoutMs: number;
  readonly log: Logger;
  /** Whether spans of calls say what was asked and answered. */
  readonly capturesContent?: boolean;
  /** A key that is refused may have been replaced, and whoever does the step next has the new one. Otherwise the refusal is final. */
  readonly keyIsReplaced?: boolean;
}

export interface ProviderRequest {
  readonly choice: ModelChoice;
  readonly messages: readonly Message[];
  /** Name and JSON schema of the answer. */
  readonly purpose: string;
  readonly schema: Record<string, unknown>;
}

export interface ProviderAnswer {
  readonly text: string;
  readonly model: string;
  /** Undefined when the provider reports none. */
  readonly usage?: TokenUsage;
  /** Why the model does not answer. A refusal costs money, too. */
  readonly refusal?: string;
  /** US dollars, as the gateway reports them; undefined when it reports none. */
  readonly costUsd?: number;
}

const ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;
/** When a provider asks for a longer pause, the next model is asked; the step is delivered again later. */
const MAX_PAUSE_MS = 5_000;

/** A call that brought no answer. */
export interface FailedCall {
  readonly problem: string;
  /** Milliseconds that the provider asks to wait. */
  readonly retryAfterMs?: number | undefined;
  /** Whether the provider may bill the call all the same: nobody heard that it did not take it. */
  readonly isBilled: "no" | "maybe";
  /** The same request can never be answered. */
  readonly isFinal?: true;
  /** Nor by any model, with this key. */
  readonly isKeyRefused?: true;
}
export type CallOutcome<A> = { readonly answer: A } | FailedCall;

/**
 * One answer of the first model that gives one. Each call is made by `metered`, which accounts for it.
 * @throws TerminalError ModelRefused; RetryableError ModelUnavailable, ModelLoginRefused; the signal's reason when it aborts; what `metered` throws
 */
export async function askProvider<A>(
  options: ProviderOptions,
  request: ProviderRequest,
  metered: (call: () => Promise<CallOutcome<ProviderAnswer>>) => Promise<CallOutcome<A>>,
  signal: AbortSignal,
): Promise<A> {
  const problems: string[] = [];
  let retryAfterSeconds = 1;
  for (const model of modelsOf(request.choice)) {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const outcome = await inModelCall(model, request, async () => {
        if (options.capturesContent) await noteInput(request.messages);
        return metered(() => callOnce(options, request, model, signal));
      });
      if ("answer" in outcome) return outcome.answer;
      const { problem, retryAfterMs, isFinal, isKeyRefused } = outcome;
      if (isKeyRefused && options.keyIsReplaced) throw keyRefused(problem);
      if (isFinal) throw new TerminalError("ModelRefused", `${model} refused the request with ${problem}`);
      options.log.warn({ model, attempt, purpose: request.purpose, problem }, "the model did not answer");
      if (attempt === 1) problems.push(`${model}: ${problem}`);
      const pauseMs = retryAfterMs ?? FIRST_PAUSE_MS * 2 ** (attempt - 1);
      if (retryAfterMs !== undefined) retryAfterSeconds = Math.max(retryAfterSeconds, Math.ceil(retryAfterMs / 1000));
      if (pauseMs > MAX_PAUSE_MS) break;
      if (attempt < ATTEMPTS) await pause(pauseMs, signal);
    }
  }
  throw new RetryableError("ModelUnavailable", `no model answered: ${problems.join("; ")}`, { retryAfterSeconds });
}

/** How soon a step whose key was refused is tried again: a replaced key reaches agents in a minute or two. */
const NEXT_KEY_S = 5;

const keyRefused = (problem: string): RetryableError =>
  new RetryableError(
    "ModelLoginRefused",
    `the models' gateway refuses the key (${problem}): LLM_API_KEY must be what it was started with, and its provider's key must be valid`,
    { retryAfterSeconds: NEXT_KEY_S, countsAsAttempt: false },
  );

interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** 4xx statuses that a later attempt can change. */
const RETRYABLE = new Set([408, 409, 425, 429]);
/** Statuses of a gateway that did not hear how the call ended. Of every other error the provider says itself that it did not answer. */
const UNHEARD = new Set([408, 502, 504]);
/** Codes of a connection that was never made (Node.js and undici): no provider has seen the request. */
const UNCONNECTED = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

async function callOnce(
  options: ProviderOptions,
  request: ProviderRequest,
  model: string,
  signal: AbortSignal,
): Promise<CallOutcome<ProviderAnswer>> {
  const timeout = AbortSignal.timeout(options.timeoutMs);
  let reply: Reply;
  try {
    reply = await post(options, bodyOf(request, model), AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (timeout.aborted) return { problem: `no answer within ${options.timeoutMs / 1000} s`, isBilled: "maybe" };
    return { problem: connectionProblem(error), isBilled: isUnconnected(error) ? "no" : "maybe" };
  }
  const { status, headers, body } = reply;
  if (status >= 200 && status < 300) return answerOf(reply, model);
  const problem = `${status} ${errorMessage(body)}`.trim();
  if (isKeyRefused(status, body)) return { problem, isBilled: "no", isFinal: true, isKeyRefused: true };
  if (status >= 400 && status < 500 && !RETRYABLE.has(status)) return { problem, isBilled: "no", isFinal: true };
  return { problem, retryAfterMs: retryAfter(headers), isBilled: UNHEARD.has(status) ? "maybe" : "no" };
}

function bodyOf({ choice, messages, purpose, schema }: ProviderRequest, model: string): string {
  return JSON.stringify({
    model,
    messages,
    ...parametersFor(model, choice),
    response_format: { type: "json_schema", json_schema: { name: purpose, schema, strict: true } },
  });
}

async function post({ baseUrl, apiKey }: ProviderOptions, body: string, signal: AbortSignal): Promise<Reply> {
  const response = await fetch(`${baseUrl}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body,
    signal,
  });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** fetch only says that it failed; the reason is in the cause. */
function connectionProblem(error: unknown): string {
  const { message, cause } = error instanceof Error ? error : new Error(String(error));
  return cause instanceof Error && cause.message ? `${message}: ${cause.message}` : message;
}

function isUnconnected(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && "code" in cause && UNCONNECTED.has(String(cause.code));
}

const errorSchema = z.object({ error: z.object({ message: z.string(), type: z.string().nullish().catch(undefined) }) });

/** LiteLLM without a database answers 400: a key that is not its own could be in one. */
function isKeyRefused(status: number, body: string): boolean {
  return status === 401 || errorSchema.safeParse(parseJson(body)).data?.error.type === "no_db_connection";
}

/** At most 300 characters of one line; empty when the body says nothing in OpenAI's format. */
function errorMessage(body: string): string {
  const message = errorSchema.safeParse(parseJson(body)).data?.error.message ?? "";
  return (message.split("\n")[0] ?? "").slice(0, 300);
}

/** A provider may leave details out or send something else: those tokens count as ordinary ones, which cost more. */
const tokensSchema = z.int().min(0).nullish().catch(undefined);
const completionSchema = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: z.int().min(0),
      completion_tokens: z.int().min(0),
      prompt_tokens_details: z
        .object({ cached_tokens: tokensSchema, cache_write_tokens: tokensSchema })
        .nullish()
        .catch(undefined),
      completion_tokens_details: z.object({ reasoning_tokens: tokensSchema }).nullish().catch(undefined),
    })
    .nullish()
    .catch(undefined),
});
type Completion = z.infer<typeof completionSchema>;

function answerOf({ headers, body }: Reply, model: string): CallOutcome<ProviderAnswer> {
  const completion = completionSchema.safeParse(parseJson(body)).data;
  const choice = completion?.choices[0];
  if (!completion || !choice) return { problem: "its answer is not a chat completion", isBilled: "maybe" };
  const refusal =
    choice.message.refusal || (choice.finish_reason === "content_filter" ? "its content filter stopped it" : undefined);
  const cost = Number(headers.get("x-litellm-response-cost") ?? Number.NaN);
  return {
    answer: {
      text: choice.message.content ?? "",
      model,
      ...(completion.usage ? { usage: usageOf(completion.usage) } : {}),
      ...(refusal ? { refusal: refusal.slice(0, 300) } : {}),
      ...(Number.isFinite(cost) && cost >= 0 ? { costUsd: cost } : {}),
    },
  };
}

function usageOf(usage: NonNullable<Completion["usage"]>): TokenUsage {
  return {
    inputTokens: usage.prompt_tokens,
    cachedInputTokens: usage.prompt_tokens_details?.cached_tokens ?? 0,
    cacheWriteTokens: usage.prompt_tokens_details?.cache_write_tokens ?? 0,
    outputTokens: usage.completion_tokens,
    reasoningTokens: usage.completion_tokens_details?.reasoning_tokens ?? 0,
  };
}

/** Milliseconds. The header holds seconds or a date. */
function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after");
  if (!value) return undefined;
  const ms = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}
