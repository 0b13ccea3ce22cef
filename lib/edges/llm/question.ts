import type { z } from "zod";

/** One question to a model. Page content goes into `data` only: it is delimited there and never taken as instructions. */
export interface Question<T> {
  /** For logs and traces, e.g. "analyze-dom". Letters, digits, `-` and `_`. */
  readonly purpose: string;
  readonly instructions: string;
  readonly data?: string;
  /** PNG or JPEG, sent at low detail. */
  readonly image?: Uint8Array;
  readonly schema: z.ZodType<T>;
  /** Ceiling of the answer, in tokens. */
  readonly maxOutputTokens: number;
  /** What the workload asks for; absent: the models this edge was made with. */
  readonly model?: { readonly name: string; readonly fallbacks: readonly string[] };
}
