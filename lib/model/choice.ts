import { z } from "zod";
import { TerminalError } from "../errors.ts";
import { schemaProblems } from "../schema-problems.ts";

/** The model of a workload that names none. */
export const DEFAULT_MODEL = "gpt-6-luna";

/** Values of the API's `reasoning_effort`. Which of them a model takes differs from model to model. */
export const REASONING_EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type ReasoningEffort = (typeof REASONING_EFFORTS)[number];

/** spec.model of a workload, as the params of its steps carry it. */
export const modelChoiceSchema = z.object({
  name: z.string().min(1),
  /** Asked in this order when the model before does not answer. */
  fallbacks: z.array(z.string().min(1)).default([]),
  /** Ceiling of one answer in tokens. Reasoning counts towards it. */
  maxOutputTokens: z.int().min(1),
  /** Absent: the least effort that the model takes. */
  reasoningEffort: z.enum(REASONING_EFFORTS).optional(),
});
export interface ModelChoice {
  readonly name: string;
  readonly fallbacks: readonly string[];
  readonly maxOutputTokens: number;
  readonly reasoningEffort?: ReasoningEffort | undefined;
}

/** @returns undefined where the params name no model. @throws TerminalError InvalidInput */
export function modelChoiceOf(params: Readonly<Record<string, unknown>>): ModelChoice | undefined {
  if (params["model"] === undefined) return undefined;
  const parsed = modelChoiceSchema.safeParse(params["model"]);
  if (parsed.success) return parsed.data;
  throw new TerminalError("InvalidInput", `params.model is invalid: ${schemaProblems(parsed.error)}`);
}

/** The models of a choice in the order in which they are asked. */
export function modelsOf({ name, fallbacks }: Pick<ModelChoice, "name" | "fallbacks">): readonly string[] {
  return [name, ...fallbacks];
}
