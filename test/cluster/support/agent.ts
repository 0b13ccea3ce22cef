import { createPublicKey } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { Annotation, END, START, StateGraph } from "@langchain/langgraph";
import { z } from "zod";
import type { StepContext, StepGraph } from "../../../lib/durable/durable.ts";
import { createRunDurably } from "../../../lib/durable/run.ts";
import { RedisSaver } from "../../../lib/durable/saver.ts";
import { connectRedis } from "../../../lib/edges/redis.ts";
import { createLog } from "../../../lib/log.ts";
import { serve } from "../../../lib/serve.ts";
import { NO_USAGE, type StepResult } from "../../../lib/step.ts";
import { createStepApp } from "../../../lib/step-app.ts";
import { createStepTokenVerifier } from "../../../lib/token.ts";

const settings = z.object({
  /** The step it speaks for, e.g. scrape. */
  STEP: z.string().min(1),
  STEP_MS: z.coerce.number().int().min(0).default(1000),
  REDIS_URL: z.string().default("redis://127.0.0.1:6379"),
  STEP_TOKEN_PUBLIC_KEY: z.string(),
});

const State = Annotation.Root({
  identity: Annotation<string>,
  result: Annotation<StepResult | undefined>,
});

/** A function whose step waits and does nothing else: what a benchmark then measures is everything around it. */
export async function serveAgent(port: number, env: Readonly<Record<string, string | undefined>>): Promise<void> {
  const { STEP, STEP_MS, REDIS_URL, STEP_TOKEN_PUBLIC_KEY } = settings.parse(env);
  const log = createLog(STEP, "info");
  const draining = new AbortController();
  const redis = await connectRedis(REDIS_URL);
  const runDurably = createRunDurably({
    redis,
    saver: (token) => new RedisSaver(redis, token),
    holder: `${STEP}, process ${process.pid} on ${hostname()}`,
    leaseTtlMs: 10_000,
    keepMs: 3_600_000,
    now: () => new Date(),
  });
  const verifyToken = createStepTokenVerifier(createPublicKey(STEP_TOKEN_PUBLIC_KEY));
  const app = createStepApp(STEP, waiting(STEP_MS), { runDurably, verifyToken, log, draining: draining.signal });
  await serve(app, { host: "0.0.0.0", port, log, draining });
  process.exit(0);
}

function waiting(ms: number): StepGraph {
  return new StateGraph(State)
    .addNode("wait", async (_state, { context }: { context?: unknown }) => {
      await sleep(ms, undefined, { signal: (context as StepContext).signal });
      const result: StepResult = { outcome: "succeeded", output: `waited ${ms} ms`, artifacts: {}, usage: NO_USAGE };
      return { result };
    })
    .addEdge(START, "wait")
    .addEdge("wait", END);
}
