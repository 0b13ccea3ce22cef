import { join } from "node:path";
import { type Outcomes, outcomeOf } from "../../engine/outcomes.ts";
import { failedResult, type StepResult } from "../../engine/result.ts";
import { type Run, stepOf } from "../../engine/run.ts";
import { listItems } from "../../engine/walk.ts";
import { createFindPrevious } from "../../lib/durable/previous-results.ts";
import { createResultStore } from "../../lib/durable/results.ts";
import { getJson } from "../../lib/edges/artifacts.ts";
import type { Logger } from "../../lib/log.ts";
import type { ResolvedHost } from "../../lib/resolved-host.ts";
import { connectDispatch } from "../local/connect-dispatch.ts";
import { openJournal, readJournal } from "../local/journal.ts";
import { type EndedRun, runPipeline } from "../local/runner.ts";
import { signingKey } from "../local/signing-key.ts";
import { type Stack, startStack } from "../local/stack.ts";
import { createStepRecords, findReusable } from "../local/step-records.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import type { RunFolder } from "../run-folder.ts";
import { addMatch, type Expectation, type Match, match, NO_MATCH } from "./expectations.ts";
import type { EvaluatedPart } from "./part.ts";
import { type Done, scoreOf, type VariantScore } from "./score.ts";

export interface EvaluateOptions {
  /** Names of models, each a variant. */
  readonly models: readonly string[];
  /** Does the evaluated steps again, although this command or the run did them: for agents whose code or prompt changed. */
  readonly again: boolean;
  readonly expectations: readonly Expectation[];
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/**
 * Does the evaluated steps of a recorded run with each model, from what the steps before them recorded. Its progress is in
 * `evaluation/` of the run's folder: the run itself stays as it is, and the same command again pays for nothing twice.
 * @throws Interrupted when it cannot continue now
 */
export async function evaluate(
  resolved: ResolvedWorkload,
  part: EvaluatedPart,
  folder: RunFolder,
  options: EvaluateOptions,
): Promise<VariantScore[]> {
  const own = evaluationFolder(folder);
  const keys = await signingKey(folder.key);
  const stack = await startStack(own, { ...options, publicKey: keys.publicKey });
  try {
    const results = createResultStore(stack.edges.artifacts);
    const dispatchFor = await connectDispatch(resolved, stack, { ...options, folder: own, keys, results });
    const { journal } = await openJournal(own.journal);
    try {
      const { workload } = part.run;
      const kept = { workload, results, artifacts: stack.edges.artifacts, failuresStandUntil: undefined };
      const recorded = { ...kept, journal: await readJournal(folder.journal), reusableSince: new Date(0) };
      const now = (): Date => new Date();
      const reusableSince = options.again ? now() : new Date(0);
      const records = createStepRecords({ ...kept, journal, store: stack.store, reusableSince, now });
      const findPrevious = createFindPrevious(stack.edges.artifacts, results);
      const scores: VariantScore[] = [];
      for (const name of options.models) {
        options.say(`${name}: ${part.steps.join(", ")}`);
        const run: Run = { ...part.run, model: { ...part.run.model, name, fallbacks: [] } };
        const send = dispatchFor(run);
        const took = new Map<string, number>();
        const ended = await runPipeline(run, {
          dispatch: async (order) => (part.steps.includes(order.step.name) ? await send(order) : NOT_RECORDED),
          async recorded(identity, step) {
            if (!part.steps.includes(step))
              return await findReusable({ ...recorded, failuresStandUntil: now() }, identity);
            const done = await records.find(identity);
            return done ?? (options.again ? undefined : await findReusable(recorded, identity));
          },
          // Done again, a step is to do its work, and not to find what it made of the same before.
          findPrevious: async (of, instance) =>
            options.again && part.steps.includes(instance.step.name) ? undefined : findPrevious(of, instance),
          record: async (identity, result) =>
            result === NOT_RECORDED ? undefined : await records.add(identity, result),
          decide: () => Promise.reject(new Error("an evaluation has no gates")),
          emit(event) {
            if (event.type === "ended" && !event.recorded && part.steps.includes(event.instance.step.name))
              took.set(keyOf(event.instance.step.name, event.instance.index), event.ms);
          },
          signal: stack.stopping,
          deadline: new AbortController().signal,
          now,
          traceSeed: `${workload.uid}/evaluation/${name}`,
        });
        scores.push({
          model: name,
          notRecorded: notRecordedIn(ended.outcomes),
          steps: await scoresOf(run, part.steps, ended, took, stack, options.expectations),
        });
      }
      return scores;
    } finally {
      await journal.close();
    }
  } finally {
    await stack.stop();
  }
}

/** Of a step before the evaluated ones; it is not written down. */
const NOT_RECORDED: StepResult = failedResult(
  "NotRecorded",
  "the run did not do this step, or with other inputs or another pipeline: run the workload first, then evaluate",
);

function notRecordedIn(outcomes: Outcomes): Record<string, number> {
  const counts = [...outcomes].map(([step, all]) => {
    const { length } = all.filter((outcome) => outcome?.reason === NOT_RECORDED.reason);
    return [step, length] as const;
  });
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** Beside the run's own progress; its artifacts are those of the run. */
function evaluationFolder(folder: RunFolder): RunFolder {
  const path = folder.evaluation;
  return {
    ...folder,
    path,
    redis: join(path, "redis"),
    journal: join(path, "steps.jsonl"),
    agentEnv: join(path, "agent.env"),
  };
}

function keyOf(step: string, index: number | undefined): string {
  return `${step} ${index ?? ""}`;
}

async function scoresOf(
  run: Run,
  steps: readonly string[],
  { outcomes }: EndedRun,
  took: ReadonlyMap<string, number>,
  stack: Stack,
  expectations: readonly Expectation[],
) {
  return await Promise.all(
    steps.map(async (step) => {
      const done: Done[] = (outcomes.get(step) ?? []).flatMap((outcome, index) =>
        outcome ? [{ outcome, ms: took.get(keyOf(step, stepOf(run, step)?.forEach ? index : undefined)) }] : [],
      );
      const own = expectations.filter((one) => one.step === step);
      const matched = own.length === 0 ? undefined : await matchAll(run, step, outcomes, stack, own);
      return scoreOf(step, done, matched);
    }),
  );
}

/** An item that failed, or that the run does not have, has nothing of what is expected of it. */
async function matchAll(
  run: Run,
  step: string,
  outcomes: Outcomes,
  { edges: { artifacts } }: Stack,
  expectations: readonly Expectation[],
): Promise<Match> {
  const items = listItems(run, step, outcomes).map((item) => JSON.stringify(item));
  let sum = NO_MATCH;
  for (const { item, artifact, expect } of expectations) {
    const index = item === undefined ? 0 : items.indexOf(JSON.stringify(item));
    const outcome = index === -1 ? undefined : outcomeOf(outcomes, step, index);
    const key = artifact === undefined ? undefined : outcome?.artifacts[artifact];
    const actual = key === undefined ? outcome?.data : await getJson(artifacts, run.workload, key, ANYTHING);
    sum = addMatch(sum, match(expect, artifact !== undefined && key === undefined ? undefined : actual));
  }
  return sum;
}

const ANYTHING = { parse: (value: unknown): unknown => value };
