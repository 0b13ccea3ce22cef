import { join } from "node:path";
import { type Outcomes, outcomeOf, type StepOutcome } from "../../engine/outcomes.ts";
import { failedResult, type StepResult } from "../../engine/result.ts";
import type { Run } from "../../engine/run.ts";
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
import { createStepRecords, findReusable, type RecordedSteps } from "../local/step-records.ts";
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
 * `evaluation/` of the run's folder: the run itself stays as it is, and the same command again pays for nothing twice. Done again, each
 * model's scores stand beside those of what was recorded of it: the agent's code or prompt before.
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
  const stack = await startStack(own, { ...options, keys });
  try {
    const results = createResultStore(stack.edges.artifacts);
    const dispatchFor = await connectDispatch(resolved, stack, {
      ...options,
      folder: own,
      keys,
      results,
      hostAccess: {},
    });
    const { journal } = await openJournal(own.journal);
    try {
      const { workload } = part.run;
      const kept = { workload, results, artifacts: stack.edges.artifacts, failuresStandUntil: undefined };
      const recorded = { ...kept, journal: await readJournal(folder.journal), reusableSince: new Date(0) };
      const now = (): Date => new Date();
      const reusableSince = options.again ? now() : new Date(0);
      const records = createStepRecords({ ...kept, journal, store: stack.store, reusableSince, now });
      const findPrevious = createFindPrevious(stack.edges.artifacts, results);
      const takeRecorded = async (
        from: RecordedSteps,
        identity: string,
        took: Took,
      ): Promise<StepResult | undefined> => {
        const ms = from.journal.find(identity)?.ms;
        const result = await findReusable(from, identity);
        if (result && ms !== undefined) took.set(result, ms);
        return result;
      };
      const scored = async (name: string, asRecorded: boolean): Promise<VariantScore> => {
        options.say(`${name}${asRecorded ? ", as recorded" : ""}: ${part.steps.join(", ")}`);
        const run: Run = { ...part.run, model: { ...part.run.model, name, fallbacks: [] } };
        const send = dispatchFor(run);
        const took: Took = new Map();
        const ended = await runPipeline(run, {
          dispatch: async (order) =>
            part.steps.includes(order.step.name) && !asRecorded ? await send(order) : NOT_RECORDED,
          async recorded(identity, step) {
            const ended = { ...recorded, failuresStandUntil: now() };
            if (!part.steps.includes(step)) return await takeRecorded(ended, identity, took);
            const last = { ...kept, journal, reusableSince: new Date(0), failuresStandUntil: now() };
            if (asRecorded)
              return (await takeRecorded(last, identity, took)) ?? (await takeRecorded(ended, identity, took));
            const ms = journal.find(identity)?.ms;
            const done = await records.find(identity);
            if (done && ms !== undefined) took.set(done, ms);
            return done ?? (options.again ? undefined : await takeRecorded(recorded, identity, took));
          },
          // Done again, a step is to do its work, and not to find what it made of the same before.
          findPrevious: async (of, instance) =>
            options.again && !asRecorded && part.steps.includes(instance.step.name)
              ? undefined
              : findPrevious(of, instance),
          async record(identity, result, ms) {
            if (result === NOT_RECORDED) return;
            took.set(result, ms);
            await records.add(identity, result, ms);
          },
          decide: () => Promise.reject(new Error("an evaluation has no gates")),
          emit: () => undefined,
          signal: stack.stopping,
          deadline: new AbortController().signal,
          now,
          traceSeed: `${workload.uid}/evaluation/${name}`,
        });
        return {
          model: name,
          ...(asRecorded ? { asRecorded } : {}),
          notRecorded: notRecordedIn(ended.outcomes, part.steps),
          steps: await scoresOf(run, part.steps, ended, took, stack, options.expectations),
        };
      };
      const before: VariantScore[] = [];
      if (options.again) for (const name of options.models) before.push(await scored(name, true));
      const scores: VariantScore[] = [];
      for (const name of options.models) scores.push(await scored(name, false));
      return [...before.filter(({ steps }) => steps.some(({ items }) => items > 0)), ...scores];
    } finally {
      await journal.close();
    }
  } finally {
    await stack.stop();
  }
}

/** How long what a step left took, in ms. */
type Took = Map<StepOutcome, number>;

/** Of a step before the evaluated ones, or of one whose recorded result is looked for; it is not written down. */
const NOT_RECORDED: StepResult = failedResult(
  "NotRecorded",
  "the run did not do this step, or with other inputs or another pipeline: run the workload first, then evaluate",
);

const isNotRecorded = (outcome: StepOutcome | undefined): boolean => outcome?.reason === NOT_RECORDED.reason;

/** Of the steps before the evaluated ones. */
function notRecordedIn(outcomes: Outcomes, evaluated: readonly string[]): Record<string, number> {
  const before = [...outcomes].filter(([step]) => !evaluated.includes(step));
  const counts = before.map(([step, all]) => {
    const { length } = all.filter(isNotRecorded);
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

async function scoresOf(
  run: Run,
  steps: readonly string[],
  { outcomes }: EndedRun,
  took: Took,
  stack: Stack,
  expectations: readonly Expectation[],
) {
  return await Promise.all(
    steps.map(async (step) => {
      const done: Done[] = (outcomes.get(step) ?? []).flatMap((outcome) =>
        outcome && !isNotRecorded(outcome) ? [{ outcome, ms: took.get(outcome) }] : [],
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
