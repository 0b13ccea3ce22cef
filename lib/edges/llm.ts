import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Redis } from "ioredis";
import { z } from "zod";
import { canonicalJson, sha256 } from "../canonical.ts";
import { acquireLease } from "../durable/lease.ts";
import { RetryableError, TerminalError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { addUsage, NO_USAGE, type Usage } from "../step.ts";
import { type Ledger, openLedger, type Paid, parseUsd } from "./llm/ledger.ts";
import { costOf, priceOf } from "./llm/prices.ts";
import { imagesOf, type Message, messagesFor, repairMessages, textsOf } from "./llm/prompt.ts";
import { askProvider } from "./llm/provider.ts";
import type { Question } from "./llm/question.ts";
import { countTokens } from "./llm/tokens.ts";

export interface Spender {
  /** The run that the budget belongs to. */
  readonly run: string;
  /** US dollars, a decimal string; absent: no ceiling. */
  readonly budgetUsd?: string;
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
   * Asks, or answers from what was paid for before: the same question of the same run is never paid twice.
   * The answer's worst cost is reserved against the budget before the call and settled after it.
   * @throws TerminalError BudgetExceeded, UnknownPrice (a budget, and a model whose price is not known), InvalidAnswer (after one
   *   repair), ModelRefused (a refusal, or 4xx); RetryableError ModelUnavailable (429, 5xx, timeout), BudgetReserved, StoreUnavailable
   */
  ask<T>(question: Question<T>, spender: Spender): Promise<Answer<T>>;
}

export interface ModelOptions {
  /** Of an OpenAI-compatible API, e.g. LiteLLM's, with /v1. */
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly name: string;
  readonly fallbacks?: readonly string[];
  readonly redis: Redis;
  readonly log: Logger;
  /** For one attempt; three are made of each model. */
  readonly timeoutMs?: number;
}

const TIMEOUT_MS = 40_000;
/** Of the right to put a question: how long a killed process keeps others from asking the same. */
const ASKING_MS = 5_000;
const POLL_MS = 100;
/** How long to wait for other questions to settle when their reservations alone leave no room. */
const BUSY_MS = 30_000;
/** What the chat format adds to a message. */
const TOKENS_A_MESSAGE = 8;

/** A model behind an OpenAI-compatible API. Nothing is loaded or connected before the first question. */
export function createModel(options: ModelOptions): Model {
  return {
    name: options.name,
    async ask(question, spender) {
      const asked = { ...options, ledger: openLedger(options.redis, spender.run) };
      const messages = messagesFor(question);
      const first = await answerOnce(asked, question, messages, spender);
      const parsed = parseAnswer(first.text, question.schema);
      if ("answer" in parsed) return { answer: parsed.answer, usage: usageOf(first), model: first.model };
      options.log.warn(
        { purpose: question.purpose, problem: parsed.problem },
        "the answer does not fit: asked to repair it",
      );
      const second = await answerOnce(asked, question, repairMessages(messages, first.text, parsed.problem), spender);
      const repaired = parseAnswer(second.text, question.schema);
      if ("answer" in repaired)
        return { answer: repaired.answer, usage: addUsage(usageOf(first), usageOf(second)), model: second.model };
      // Kept answers serve a step that is repeated; one that is tried again after it failed must not meet these.
      await asked.ledger.forget([first.request, second.request]);
      throw new TerminalError(
        "InvalidAnswer",
        `${second.model} answered twice without fitting the schema: ${repaired.problem.slice(0, 300)}`,
      );
    },
  };
}

type Asked = ModelOptions & { readonly ledger: Ledger };

/** One request's answer: stored, somebody else's who asks the same at this moment, or paid for. */
async function answerOnce(
  asked: Asked,
  question: Question<unknown>,
  messages: readonly Message[],
  spender: Spender,
): Promise<Paid & { readonly request: string }> {
  const models = question.model
    ? [question.model.name, ...question.model.fallbacks]
    : [asked.name, ...(asked.fallbacks ?? [])];
  const schema = answerSchema(question.schema);
  const { purpose, maxOutputTokens } = question;
  const request = { models, messages, purpose, schema, maxOutputTokens };
  const hash = sha256(canonicalJson(request)).slice(0, 32);
  for (;;) {
    spender.signal.throwIfAborted();
    const paid = await asked.ledger.answer(hash);
    if (paid) return { ...answered(paid), request: hash };
    const lease = await acquireLease(asked.redis, {
      ...asked.ledger.asking(hash),
      holder: randomUUID(),
      ttlMs: ASKING_MS,
    });
    if ("heldBy" in lease) {
      await pause(spender.signal);
      continue;
    }
    try {
      // It may have been answered between the look and the lease.
      const answer = (await asked.ledger.answer(hash)) ?? (await pay(asked, hash, request, spender));
      return { ...answered(answer), request: hash };
    } finally {
      await lease.release().catch(() => {
        // Redis is away: the lease ends by itself.
      });
    }
  }
}

/** @throws TerminalError ModelRefused */
function answered(paid: Paid): Paid {
  if (paid.refusal === undefined) return paid;
  throw new TerminalError("ModelRefused", `${paid.model} refuses to answer: ${paid.refusal}`);
}

async function pay(
  asked: Asked,
  hash: string,
  request: Omit<Parameters<typeof askProvider>[1], "signal">,
  { budgetUsd, signal }: Spender,
): Promise<Paid> {
  if (budgetUsd !== undefined) await reserve(asked.ledger, hash, request, parseUsd(budgetUsd), signal);
  try {
    const answer = await askProvider({ timeoutMs: TIMEOUT_MS, ...asked }, { ...request, signal });
    const price = priceOf(answer.model);
    if (answer.costUsd === undefined && !price)
      asked.log.warn({ model: answer.model }, "the price of this model is not known: its cost is counted as 0");
    const costUsd = answer.costUsd ?? (price ? costOf(price, answer.inputTokens, answer.outputTokens) : 0);
    const paid: Paid = { ...answer, costUsd };
    await asked.ledger.pay(hash, paid);
    return paid;
  } catch (error) {
    // Not answered, not paid. When Redis is away, the reservation ends by itself.
    await asked.ledger.release(hash).catch(() => undefined);
    throw error;
  }
}

async function reserve(
  ledger: Ledger,
  hash: string,
  request: Parameters<typeof worstCost>[0],
  ceilingUsd: number,
  signal: AbortSignal,
): Promise<void> {
  const worst = await worstCost(request);
  for (let waited = 0; ; waited += POLL_MS) {
    const verdict = await ledger.reserve(hash, worst, ceilingUsd);
    if (verdict === "reserved") return;
    if (verdict === "exceeded")
      throw new TerminalError(
        "BudgetExceeded",
        `$${(await ledger.spentUsd()).toFixed(6)} of $${ceilingUsd} are spent and the next call may cost $${worst.toFixed(6)}: raise budget.maxUsd to go on`,
      );
    if (waited >= BUSY_MS)
      throw new RetryableError("BudgetReserved", "the rest of the budget is reserved by calls that have not ended", {
        countsAsAttempt: false,
        retryAfterSeconds: 5,
      });
    await pause(signal);
  }
}

/** US dollars, if the dearest of the models answers as long as it may. @throws TerminalError UnknownPrice */
async function worstCost(request: {
  readonly models: readonly string[];
  readonly messages: readonly Message[];
  readonly schema: Record<string, unknown>;
  readonly maxOutputTokens: number;
}): Promise<number> {
  const { models, messages, schema, maxOutputTokens } = request;
  const text = await countTokens([...textsOf(messages), JSON.stringify(schema)].join("\n"));
  const costs = models.map((model) => {
    const price = priceOf(model);
    if (!price)
      throw new TerminalError(
        "UnknownPrice",
        `the price of ${model} is not known, so a budget cannot be kept: choose a model of the price table, or leave out budget.maxUsd`,
      );
    const input = text + messages.length * TOKENS_A_MESSAGE + imagesOf(messages) * price.image;
    return costOf(price, input, maxOutputTokens);
  });
  return Math.max(...costs);
}

function parseAnswer<T>(text: string, schema: z.ZodType<T>): { answer: T } | { problem: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: "it is not JSON" };
  }
  const parsed = schema.safeParse(value);
  return parsed.success ? { answer: parsed.data } : { problem: z.prettifyError(parsed.error) };
}

function answerSchema(schema: z.ZodType<unknown>): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema);
  return rest;
}

function usageOf({ inputTokens, outputTokens, costUsd }: Paid): Usage {
  return { ...NO_USAGE, inputTokens, outputTokens, costUsd };
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(POLL_MS, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
