import { randomUUID } from "node:crypto";
import type { Redis } from "ioredis";
import pRetry from "p-retry";
import { z } from "zod";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { ledgerName } from "../../engine/identity.ts";
import { addUsage, NO_USAGE, type Usage, type WorkloadRef } from "../../engine/result.ts";
import { acquireLease } from "../durable/lease.ts";
import { RetryableError, TerminalError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { pause } from "../pause.ts";
import { schemaProblems } from "../schema-problems.ts";
import { DEFAULT_MODEL, type ModelChoice, modelsOf } from "./choice.ts";
import { noteOutput } from "./content.ts";
import { costOf, costOfCall, type PlannedCall, type TokenUsage, worstUsage } from "./cost.ts";
import { type Ledger, openLedger, type PaidAnswer, parseUsd, type Reservation } from "./ledger.ts";
import { priceOf } from "./prices.ts";
import { imagesOf, type Message, messagesFor, repairMessages, textsOf } from "./prompt.ts";
import { askProvider, type ProviderAnswer, type ProviderRequest } from "./provider.ts";
import type { Question } from "./question.ts";
import { notePaid } from "./span.ts";
import { countTokens } from "./tokens.ts";

/** Who pays for a question. */
export interface Spender {
  /** Whom the budget belongs to. */
  readonly workload: Pick<WorkloadRef, "namespace" | "uid">;
  /** US dollars that the workload's status says were spent: what the ledger starts from when Redis lost it. */
  readonly spentUsd: number;
  /** Identity of the step that asks: its result says what it paid, also where it fails. */
  readonly step?: string;
  /** US dollars, a decimal string; absent: no ceiling. */
  readonly budgetUsd?: string;
  /** Until then the booking of an answer is tried again, also after the signal aborted. */
  readonly deadline: Date;
  readonly signal: AbortSignal;
}

export interface Answer<T> {
  readonly answer: T;
  readonly usage: Usage;
  /** The model that answered: the first, or a fallback. */
  readonly model: string;
}

export interface Model {
  readonly name: string;
  /**
   * Asks, or returns the answer that was paid for before: a ledger does not pay twice for the same question.
   * Before each call its worst cost is reserved against the budget. It stays reserved until the provider is known not to bill the
   * call, or what it bills is booked.
   * @throws TerminalError BudgetExceeded, UnknownPrice (a budget, and a model whose price is unknown), InvalidAnswer (after one
   *   repair), ModelRefused (a refusal, or 4xx); RetryableError ModelUnavailable (429, 5xx, timeout), ModelLoginRefused, BudgetReserved, StoreUnavailable
   */
  ask<T>(question: Question<T>, spender: Spender): Promise<Answer<T>>;
}

export interface ModelOptions {
  /** Base URL of an OpenAI-compatible API, e.g. LiteLLM's, with /v1. */
  readonly baseUrl: string;
  readonly apiKey: string;
  /** Asked when a question names no model. Absent: DEFAULT_MODEL. */
  readonly name?: string;
  readonly redis: Redis;
  readonly log: Logger;
  /** For one attempt. Each model gets three. */
  readonly timeoutMs?: number;
  /** Whether spans of calls say what was asked and answered (content.ts). */
  readonly capturesContent?: boolean;
  /** Whether a key that is refused may have been replaced: the step is then done by whoever has the new one. */
  readonly keyIsReplaced?: boolean;
}

const TIMEOUT_MS = 40_000;
/** Lease on putting a question: how long a killed process keeps others from putting the same one. */
const ASKING_MS = 5_000;
const POLL_MS = 100;
/** How long to wait for other questions to settle when only their reservations leave no room. */
const BUSY_MS = 30_000;
const BOOKING_RETRY = { retries: Number.POSITIVE_INFINITY, minTimeout: 100, maxTimeout: 1000, unref: true };
/** Tokens that the chat format adds to a message. */
const TOKENS_A_MESSAGE = 8;

/** A model behind an OpenAI-compatible API. Nothing is loaded or connected before the first question. */
export function createModel(options: ModelOptions): Model {
  const { name = DEFAULT_MODEL } = options;
  return {
    name,
    async ask(question, spender) {
      const context = {
        ...options,
        name,
        ledger: openLedger(options.redis, { name: ledgerName(spender.workload), spentUsd: spender.spentUsd }),
      };
      const messages = messagesFor(question);
      const first = await answerOnce(context, question, messages, spender);
      const parsed = parseAnswer(first.text, question.schema);
      if ("answer" in parsed) return { answer: parsed.answer, usage: usageOf(first), model: first.model };
      options.log.warn(
        { purpose: question.purpose, problem: parsed.problem },
        "the answer does not match the schema: the model is asked to repair it",
      );
      const second = await answerOnce(context, question, repairMessages(messages, first.text, parsed.problem), spender);
      const repaired = parseAnswer(second.text, question.schema);
      if ("answer" in repaired)
        return { answer: repaired.answer, usage: addUsage(usageOf(first), usageOf(second)), model: second.model };
      // Kept answers serve a delivery that is repeated. A retry of the failed step must ask anew.
      await context.ledger.forget([first.request, second.request]);
      throw new TerminalError(
        "InvalidAnswer",
        `${second.model} gave two answers that do not match the schema (${repaired.problem.slice(0, 300)}): raise model.maxOutputTokens if they were cut off, or choose another model`,
      );
    },
  };
}

type Context = ModelOptions & { readonly name: string; readonly ledger: Ledger };

/** The answer to one request: stored, of another process that puts the same request now, or paid for. */
async function answerOnce(
  context: Context,
  question: Question<unknown>,
  messages: readonly Message[],
  spender: Spender,
): Promise<PaidAnswer & { readonly request: string }> {
  const request: ProviderRequest = {
    choice: choiceFor(context, question),
    messages,
    purpose: question.purpose,
    schema: answerSchema(question.schema),
  };
  const hash = sha256(canonicalJson(request)).slice(0, 32);
  for (;;) {
    spender.signal.throwIfAborted();
    const paid = await context.ledger.answer(hash);
    if (paid) return { ...unlessRefused(paid), request: hash };
    const lease = await acquireLease(context.redis, {
      lease: context.ledger.askingKey(hash),
      holder: randomUUID(),
      ttlMs: ASKING_MS,
    });
    if ("heldBy" in lease) {
      await pause(POLL_MS, spender.signal);
      continue;
    }
    try {
      // Another process may have stored an answer between the read and the lease.
      const answer =
        (await context.ledger.answer(hash)) ??
        (await pay(context, { hash, request, instructions: question.instructions }, spender, lease.lost));
      return { ...unlessRefused(answer), request: hash };
    } catch (error) {
      // Another process may put the same request now: its answer is waited for.
      if (error !== lease.lost.reason) throw error;
    } finally {
      await lease.release().catch(() => {
        // Redis is away: the lease expires.
      });
    }
  }
}

/** The workload's ceiling holds for every step that asks, whatever ceiling the step itself wishes. */
function choiceFor({ name }: Context, { model, maxOutputTokens }: Question<unknown>): ModelChoice {
  if (!model) return { name, fallbacks: [], maxOutputTokens };
  return { ...model, maxOutputTokens: Math.min(model.maxOutputTokens, maxOutputTokens) };
}

/** @throws TerminalError ModelRefused */
function unlessRefused(paid: PaidAnswer): PaidAnswer {
  if (paid.refusal === undefined) return paid;
  throw new TerminalError("ModelRefused", `${paid.model} refuses to answer: ${paid.refusal}`);
}

interface Hashed {
  readonly hash: string;
  readonly request: ProviderRequest;
  /** The question's, without what a repair adds. */
  readonly instructions: string;
}

/** Makes no call once `lost` aborts: another process may then put the same request. */
async function pay(context: Context, asked: Hashed, spender: Spender, lost: AbortSignal): Promise<PaidAnswer> {
  const { hash, request, instructions } = asked;
  const { ledger, timeoutMs = TIMEOUT_MS } = context;
  const worstUsd = await worstCost(request, spender);
  const { step } = spender;
  const account = step === undefined ? undefined : { step, purpose: request.purpose, prompt: sha256(instructions) };
  return askProvider<PaidAnswer>(
    { ...context, timeoutMs },
    request,
    async (call) => {
      spender.signal.throwIfAborted();
      lost.throwIfAborted();
      const id = randomUUID();
      await reserve(ledger, { id, worstUsd, callMs: timeoutMs }, spender);
      // What throws from here on leaves the reservation: the provider may bill the call.
      const outcome = await call();
      if ("answer" in outcome) {
        const answer = await priced(context, request, outcome.answer);
        notePaid(answer);
        await settle(() => ledger.pay(id, hash, answer, account), context, spender);
        if (context.capturesContent) await noteOutput(answer.text);
        return { answer };
      }
      if (outcome.isBilled === "no") await settle(() => ledger.release(id), context, spender);
      return outcome;
    },
    spender.signal,
  );
}

/**
 * Books until Redis takes it or the deadline passes. When the step ends before, its signal's reason is thrown, and the booking goes on.
 * @throws RetryableError StoreUnavailable at the deadline
 */
async function settle(book: () => Promise<void>, { log }: Context, { deadline, signal }: Spender): Promise<void> {
  const maxRetryTime = Math.max(0, deadline.getTime() - Date.now());
  const booking = pRetry(book, { ...BOOKING_RETRY, maxRetryTime });
  booking.catch((err: unknown) => log.error({ err }, "a call to the model could not be booked: it stays reserved"));
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
    booking.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}

/** The gateway's cost, else that of the price table. An answer without usage figures counts as the worst case. */
async function priced({ log }: Context, request: ProviderRequest, answer: ProviderAnswer): Promise<PaidAnswer> {
  const { model } = answer;
  const price = priceOf(model);
  if (answer.costUsd === undefined && !price)
    log.warn({ model }, "the price of this model is unknown: its cost counts as 0");
  const usage =
    answer.usage ??
    (price ? worstUsage(price, await plannedCall(request), request.choice.maxOutputTokens) : UNKNOWN_USAGE);
  return { ...answer, usage, costUsd: answer.costUsd ?? (price ? costOf(price, usage) : 0) };
}

const UNKNOWN_USAGE: TokenUsage = {
  inputTokens: 0,
  cachedInputTokens: 0,
  cacheWriteTokens: 0,
  outputTokens: 0,
  reasoningTokens: 0,
};

async function reserve(ledger: Ledger, reservation: Reservation, { budgetUsd, signal }: Spender): Promise<void> {
  const ceilingUsd = budgetUsd === undefined ? undefined : parseUsd(budgetUsd);
  for (let waited = 0; ; waited += POLL_MS) {
    const { verdict, spentUsd } = await ledger.reserve(reservation, ceilingUsd);
    if (verdict === "reserved") return;
    if (verdict === "exceeded")
      throw new TerminalError(
        "BudgetExceeded",
        `$${spentUsd.toFixed(6)} of $${ceilingUsd} are spent, and the next call may cost $${reservation.worstUsd.toFixed(6)}: raise budget.maxUsd to continue`,
      );
    if (waited >= BUSY_MS)
      throw new RetryableError("BudgetReserved", "calls that have not ended reserve the rest of the budget", {
        countsAsAttempt: false,
        retryAfterSeconds: 5,
      });
    await pause(POLL_MS, signal);
  }
}

/** US dollars. Without a budget a price may be unknown, and counts as 0. @throws TerminalError UnknownPrice */
async function worstCost(request: ProviderRequest, { budgetUsd }: Spender): Promise<number> {
  const worst = costOfCall(request.choice, await plannedCall(request));
  if (worst !== undefined) return worst;
  if (budgetUsd === undefined) return 0;
  const unknown = modelsOf(request.choice).filter((model) => !priceOf(model));
  throw new TerminalError(
    "UnknownPrice",
    `the price of ${unknown.join(", ")} is unknown, so the budget cannot be enforced: choose a model of the price table, or remove budget.maxUsd`,
  );
}

async function plannedCall({ messages, schema }: ProviderRequest): Promise<PlannedCall> {
  const text = await countTokens([...textsOf(messages), JSON.stringify(schema)].join("\n"));
  return { inputTokens: text + messages.length * TOKENS_A_MESSAGE, images: imagesOf(messages) };
}

function parseAnswer<T>(text: string, schema: z.ZodType<T>): { answer: T } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? { answer: parsed.data } : { problem: schemaProblems(parsed.error) };
}

function answerSchema(schema: z.ZodType<unknown>): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function usageOf({ usage, costUsd }: PaidAnswer): Usage {
  return { ...NO_USAGE, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens, costUsd };
}
