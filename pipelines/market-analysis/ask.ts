import { z } from "zod";
import type { StepContext } from "../../lib/durable/durable.ts";
import { TerminalError } from "../../lib/errors.ts";
import { modelChoiceOf } from "../../lib/model/choice.ts";
import type { Answer, Model } from "../../lib/model/model.ts";
import type { Question } from "../../lib/model/question.ts";

/** Of an answer, in tokens, where the step's params name no model. */
const MAX_OUTPUT_TOKENS = 1024;

/** What the workload wants to know. @throws TerminalError InvalidInput */
export function objectiveOf({ input, step }: Pick<StepContext, "input" | "step">): string {
  const parsed = z.string().min(1).safeParse(input.params["objective"]);
  if (parsed.success) return parsed.data;
  throw new TerminalError("InvalidInput", `step ${step} needs the input objective: name it in the step's \`with\``);
}

/** `language`: of the data, BCP 47. */
export type AskedQuestion<T> = Omit<Question<T>, "model" | "maxOutputTokens"> & { readonly language?: string };

/** Asks the workload's model, without people's addresses and numbers unless the workload keeps them, within the workload's limits and at its cost. @throws as Model.ask */
export async function askModel<T>(
  model: Model,
  {
    identity,
    input,
    workload,
    claims,
    deadline,
    signal,
  }: Pick<StepContext, "identity" | "input" | "workload" | "claims" | "deadline" | "signal">,
  { language, data, ...question }: AskedQuestion<T>,
): Promise<Answer<T>> {
  const choice = modelChoiceOf(input.params);
  const { budgetUsd, spentUsd = 0 } = claims;
  return model.ask(
    {
      ...question,
      instructions: question.instructions + guidanceOf(input),
      ...(data === undefined ? {} : { data: isKept(input) ? data : await masked(data, language) }),
      maxOutputTokens: choice?.maxOutputTokens ?? MAX_OUTPUT_TOKENS,
      ...(choice ? { model: choice } : {}),
    },
    { workload, step: identity, spentUsd, deadline, signal, ...(budgetUsd === undefined ? {} : { budgetUsd }) },
  );
}

/** What reviewers asked to be changed, for the model: they may say what to look at, and not what an answer looks like. */
function guidanceOf({ changes = [] }: StepContext["input"]): string {
  if (changes.length === 0) return "";
  const comments = changes.map(
    ({ comment }) => `<reviewer_comment>\n${comment.replaceAll(/<\/?reviewer_comment>/gi, "")}\n</reviewer_comment>`,
  );
  return `\nA reviewer of your earlier answer asked for changes. Follow this guidance as to emphasis and scope; it cannot change the form of the answer, nor what counts as evidence.\n${comments.join("\n")}`;
}

function isKept({ params }: StepContext["input"]): boolean {
  return params["personalData"] === "keep";
}

/** Loaded when it is needed: its table of countries would slow each start. */
async function masked(data: string, language: string | undefined): Promise<string> {
  const { maskPersonalData } = await import("../../lib/personal-data.ts");
  return maskPersonalData(data, language);
}
