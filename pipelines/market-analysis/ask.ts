import { z } from "zod";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import { remarksText } from "../../engine/correction-text.ts";
import { NO_USAGE } from "../../engine/result.ts";
import type { StepContext } from "../../lib/durable/durable.ts";
import { type Artifacts, getIfOwn, getOwnJson } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import { modelChoiceOf } from "../../lib/model/choice.ts";
import type { Answer, Model } from "../../lib/model/model.ts";
import type { Question } from "../../lib/model/question.ts";
import { looksAlike } from "./look-alike.ts";

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

/** The artifact role under which a step leaves what it asked a model, and what that answered. No output of the run. */
export const ASKED = ".asked";
const askedSchema = z.object({
  /** sha256 of all that the answer depends on, but for the picture. */
  question: z.string(),
  /** Artifact key of the picture that the model was shown. */
  picture: z.string().optional(),
  /** That answered. */
  model: z.string(),
  answer: z.unknown(),
});

/**
 * Asks the workload's model, without people's addresses and numbers unless the workload keeps them, within the workload's limits and at
 * its cost. Where the step asked the same in the run that this one is compared with (`previous`), nobody is asked again, and it costs
 * nothing: the same words, and a picture that shows the same (docs/adr/0052). `asked`: the artifact that the step's result must name as ASKED, for the next run to find.
 * @throws as Model.ask
 */
export async function askUnlessAsked<T>(
  model: Model,
  artifacts: Artifacts,
  context: AskingStep,
  question: AskedQuestion<T>,
): Promise<Answer<T> & { readonly asked: string }> {
  const { workload, input } = context;
  const full = await fullQuestion(input, question);
  const hash = questionHash(full, model.name);
  const known = await earlierAnswer(artifacts, input, hash, full);
  const { answer, usage, model: by } = known ?? (await ask(model, full, context));
  // The picture that was asked about: a page that changes a little with each run differs from it at some point.
  const shown = known ? known.picture : full.image;
  const picture = shown && { picture: await artifacts.put(workload, shown, "jpg") };
  const asked = await artifacts.put(workload, canonicalJson({ question: hash, ...picture, model: by, answer }), "json");
  return { answer, usage, model: by, asked };
}

async function earlierAnswer<T>(
  artifacts: Artifacts,
  { previous }: StepContext["input"],
  hash: string,
  { schema, image }: Question<T>,
): Promise<(Answer<T> & { readonly picture: Uint8Array | undefined }) | undefined> {
  const key = previous?.result.artifacts[ASKED];
  if (!previous || key === undefined) return undefined;
  const asked = await getOwnJson(artifacts, previous.workload, key, askedSchema);
  if (asked?.question !== hash) return undefined;
  const picture = asked.picture === undefined ? undefined : await getIfOwn(artifacts, previous.workload, asked.picture);
  const isSame = picture && image ? await looksAlike(picture, image) : picture === image;
  const answer = schema.safeParse(asked.answer);
  return isSame && answer.success ? { answer: answer.data, usage: NO_USAGE, model: asked.model, picture } : undefined;
}

function questionHash({ image: _, schema, ...question }: Question<unknown>, defaultModel: string): string {
  return sha256(canonicalJson({ ...question, defaultModel, form: z.toJSONSchema(schema) }));
}

type AskingStep = Pick<StepContext, "identity" | "input" | "workload" | "claims" | "deadline" | "signal">;

async function fullQuestion<T>(
  input: StepContext["input"],
  { language, data, ...question }: AskedQuestion<T>,
): Promise<Question<T>> {
  const choice = modelChoiceOf(input.params);
  return {
    ...question,
    instructions: question.instructions + guidanceOf(input),
    ...(data === undefined ? {} : { data: isKept(input) ? data : await masked(data, language) }),
    maxOutputTokens: choice?.maxOutputTokens ?? MAX_OUTPUT_TOKENS,
    ...(choice ? { model: choice } : {}),
  };
}

function ask<T>(
  model: Model,
  question: Question<T>,
  { identity, workload, claims, deadline, signal }: AskingStep,
): Promise<Answer<T>> {
  const { budgetUsd, spentUsd = 0 } = claims;
  const spender = { workload, step: identity, spentUsd, deadline, signal };
  return model.ask(question, { ...spender, ...(budgetUsd === undefined ? {} : { budgetUsd }) });
}

/** What reviewers asked to be changed, for the model: they may say what to look at, and not what an answer looks like. */
function guidanceOf({ changes = [] }: StepContext["input"]): string {
  if (changes.length === 0) return "";
  const comments = changes.map(({ comment, corrections }) => {
    const ofFacts = corrections ? `\nOf single facts${remarksText({ corrections })}` : "";
    const said = `${comment}${ofFacts}`.replaceAll(/<\/?reviewer_comment>/gi, "");
    return `<reviewer_comment>\n${said}\n</reviewer_comment>`;
  });
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
