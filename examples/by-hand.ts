import type { KeyObject } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Redis } from "ioredis";
import { reviewToken } from "../cli/local/approver.ts";
import { canonicalJson, sha256 } from "../engine/canonical.ts";
import { findingsOf, gateOutcome, isFinal, REVIEW_DECIDED } from "../engine/findings.ts";
import { stepIdentity } from "../engine/identity.ts";
import { type Outcomes, type OutcomeTable, type StepOutcome, setOutcome, usageOf } from "../engine/outcomes.ts";
import type { PipelineStep } from "../engine/pipeline.ts";
import { gateTerms, type Run } from "../engine/run.ts";
import { inOrder } from "../engine/stages.ts";
import { type Instance, inputOf, listItems } from "../engine/walk.ts";
import { readStates } from "../lib/durable/requests.ts";
import { createResultStore } from "../lib/durable/results.ts";
import type { Artifacts } from "../lib/edges/artifacts.ts";
import { createFolderReviews, type FolderReviews } from "../lib/edges/reviews/folder.ts";
import { decisionOf } from "../lib/edges/reviews.ts";

/** What a run that is walked by hand has left so far. */
export interface Traces {
  readonly redis: Redis;
  readonly artifacts: Artifacts;
  readonly reviews: FolderReviews;
}

/** The reviews of the function approve (REVIEWS=folder): beside the artifacts. */
export function reviewsBeside(artifactsUrl: string): FolderReviews {
  return createFolderReviews(`${fileURLToPath(artifactsUrl)}/reviews`);
}

/** How the steps ended that were invoked: a step's identity follows from its input, and its result is found by it. */
export async function outcomesSoFar(run: Run, traces: Traces): Promise<Outcomes> {
  const outcomes: OutcomeTable = new Map();
  for (const step of inOrder(run.pipeline.steps))
    for (const instance of instancesOf(run, step, outcomes)) {
      const outcome = step.gate
        ? await decided(run, step, outcomes, traces)
        : await resultOf(run, instance, outcomes, traces);
      if (outcome) setOutcome(outcomes, step.name, instance.index, outcome);
    }
  return outcomes;
}

/** Each item of a fan-out; of any other step itself. */
export function instancesOf(run: Run, step: PipelineStep, outcomes: Outcomes): Instance[] {
  if (step.forEach === undefined) return [{ step }];
  return listItems(run, step.name, outcomes).map((item, index) => ({ step, index, item }));
}

async function resultOf(
  run: Run,
  instance: Instance,
  outcomes: Outcomes,
  { redis, artifacts }: Traces,
): Promise<StepOutcome | undefined> {
  const { step } = instance;
  const { workload } = run;
  const revision = run.pipeline.agents[step.agent ?? ""]?.revision ?? "";
  const identity = stepIdentity({ workload, step: step.name, revision, input: inputOf(run, instance, outcomes) });
  const [state] = await readStates(redis, [identity]);
  return state?.ended && createResultStore(artifacts).get(workload, state.ended.digest);
}

async function decided(
  run: Run,
  gate: PipelineStep,
  outcomes: Outcomes,
  { artifacts, reviews }: Traces,
): Promise<StepOutcome | undefined> {
  const record = await reviews.read(run.workload, gate.name);
  const decision = record && decisionOf(record.review);
  if (!decision || !isFinal(decision) || decision.digest !== sha256(canonicalJson(findingsOf(run, gate, outcomes))))
    return undefined;
  const key = await artifacts.put(run.workload, canonicalJson(decision), "json");
  return gateOutcome(decision, { findings: record.findings, decision: key });
}

/**
 * Opens the review of a gate, and writes the event by which its reader approves it.
 * @returns the arguments by which `func invoke` sends it to approve
 */
export async function reviewInvocation(
  run: Run,
  gate: PipelineStep,
  outcomes: Outcomes,
  { artifacts, reviews }: Traces,
  { key, file, now }: { readonly key: KeyObject; readonly file: string; readonly now: Date },
): Promise<string> {
  const { namespace, name } = run.workload;
  const text = canonicalJson(findingsOf(run, gate, outcomes));
  const { timeoutMs, onTimeout } = gateTerms(run, gate);
  const record = {
    workload: run.workload,
    findings: await artifacts.put(run.workload, text, "json"),
    usage: usageOf(outcomes),
    review: {
      gate: gate.name,
      run: run.run,
      digest: sha256(text),
      openedAt: now.toISOString(),
      timeoutAt: new Date(now.getTime() + timeoutMs).toISOString(),
      onTimeout,
    },
  };
  await reviews.open(record);
  const token = await reviewToken(key, record, "ReviewLink");
  const data = { namespace, name, gate: gate.name, token, decision: "approved", digest: record.review.digest };
  // Whoever has the token may decide.
  await writeFile(file, `${JSON.stringify(data)}\n`, { mode: 0o600 });
  const id = `${record.review.digest.slice(0, 32)}-decided`;
  return `--format cloudevent --type ${REVIEW_DECIDED} --source /by-hand --id ${id} --file ${file}`;
}
