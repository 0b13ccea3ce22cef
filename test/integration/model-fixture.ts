import type { Redis } from "ioredis";
import { pino } from "pino";
import { z } from "zod";
import { createModel, type Model, type ModelOptions } from "../../lib/model/model.ts";
import type { Question } from "../../lib/model/question.ts";
import type { FakeOpenAi } from "../fakes/openai.ts";

export const QUESTION: Question<{ claim: string }> = {
  purpose: "test",
  instructions: "Say what the page claims.",
  data: "We are the best.",
  schema: z.strictObject({ claim: z.string() }),
  maxOutputTokens: 100,
};

/** A model behind the fake provider. */
export function modelBehind(provider: FakeOpenAi, redis: Redis, options: Partial<ModelOptions> = {}): Model {
  const log = pino({ level: "silent" });
  return createModel({ baseUrl: provider.baseUrl, apiKey: "sk-test", redis, log, ...options });
}
