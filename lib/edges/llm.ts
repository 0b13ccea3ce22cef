import type { z } from "zod";
import type { Usage } from "../step.ts";

/** One question to a model. Page content goes into `data` only: it is delimited there and never taken as instructions. */
export interface Question<T> {
  /** For logs and traces, e.g. "analyze-dom". */
  readonly purpose: string;
  readonly instructions: string;
  readonly data?: string;
  /** PNG or JPEG, sent at low detail. */
  readonly image?: Uint8Array;
  readonly schema: z.ZodType<T>;
  /** Ceiling of the answer, in tokens. */
  readonly maxOutputTokens: number;
}

export interface Spender {
  /** The run that the budget belongs to. */
  readonly run: string;
  /** US dollars, a decimal string; absent: no ceiling. */
  readonly budgetUsd?: string;
  readonly signal: AbortSignal;
}

export interface Model {
  readonly name: string;
  /**
   * Asks, or answers from what was paid for before: the same question of the same run is never paid twice.
   * The answer's worst cost is reserved against the budget before the call and settled after it.
   * @throws TerminalError BudgetExceeded, InvalidAnswer (after one repair), ModelRefused (4xx); RetryableError ModelUnavailable (429, 5xx, timeout)
   */
  ask<T>(question: Question<T>, spender: Spender): Promise<{ answer: T; usage: Usage }>;
}
