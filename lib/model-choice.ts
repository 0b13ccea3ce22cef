import { z } from "zod";

/** spec.model as a step's params carry it: which model to ask, and which when it does not answer. */
const modelChoiceSchema = z.object({ name: z.string(), fallbacks: z.array(z.string()).default([]) });
export type ModelChoice = z.infer<typeof modelChoiceSchema>;

/** @returns undefined where the params name no model */
export function modelChoiceOf(params: Readonly<Record<string, unknown>>): ModelChoice | undefined {
  return modelChoiceSchema.safeParse(params["model"]).data;
}
