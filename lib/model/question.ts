import type { z } from "zod";
import type { ModelChoice } from "./choice.ts";

/** One question to a model. Content that others wrote goes into `data` only: it is delimited and never taken as instructions. */
export interface Question<T> {
  /** For logs and traces, e.g. "analyze-dom". Letters, digits, `-` and `_`. */
  readonly purpose: string;
  readonly instructions: string;
  readonly data?: string;
  /** PNG or JPEG, sent at low detail. */
  readonly image?: Uint8Array;
  readonly schema: z.ZodType<T>;
  /** Ceiling of the answer in tokens. The workload's maxOutputTokens applies as well: the smaller one holds. */
  readonly maxOutputTokens: number;
  /** The workload's choice. Absent: the model that createModel was given. */
  readonly model?: ModelChoice;
}
