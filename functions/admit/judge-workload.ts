import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { parseDuration } from "../../crd/duration.ts";
import { problemTexts } from "../../engine/check.ts";
import { MODEL } from "../../engine/run.ts";
import { workloadProblems } from "../../engine/workload-check.ts";
import { findPipeline } from "../../lib/find-pipeline.ts";
import { modelsOf } from "../../lib/model/choice.ts";
import { costOfQuestion } from "../../lib/model/cost.ts";
import { modelEnd } from "../../lib/model/prices.ts";
import type { Judgement } from "./admission-review.ts";
import type { JudgeDeps } from "./deps.ts";
import { judgeLicence, judgeQuota } from "./judge-quota.ts";
import { missingAgents } from "./missing-agents.ts";

/** A model that ends within this time is worth a word. */
const SOON_MS = 30 * 24 * 3_600_000;
/** The least that a step asks its model. */
const SHORT_QUESTION = { inputTokens: 100, images: 0 };

export async function judgeWorkload(workload: AgentWorkload, deps: JudgeDeps): Promise<Judgement> {
  const all = await Promise.all([judgeSpec(workload, deps), judgeQuota(workload, deps)]);
  const problems = all.flatMap((one) => one.problems);
  return { problems, warnings: problems.length > 0 ? [] : all.flatMap(({ warnings }) => warnings) };
}

async function judgeSpec(workload: AgentWorkload, deps: JudgeDeps): Promise<Judgement> {
  const found = await findPipeline(workload, deps);
  // It may be applied, or corrected, after its workload: reconcile waits for it.
  if (!("spec" in found)) {
    if (found.reason === "InvalidSpec") return { problems: [found.message], warnings: [] };
    return { problems: [], warnings: [found.message] };
  }
  const problems = problemTexts(await workloadProblems(workload, found, new Set()));
  if (problems.length > 0) return { problems, warnings: [] };
  const missing = workload.spec.image === undefined ? await missingAgents(found, deps) : [];
  const { warnings } = await judgeLicence(workload, found.spec.steps, deps);
  return { problems, warnings: [...missing, ...unwise(workload, found, deps.now()), ...warnings] };
}

/** What is legal, and ends otherwise than its author expects. */
function unwise({ spec }: AgentWorkload, { spec: { steps } }: AgentPipeline, now: Date): string[] {
  const warnings: string[] = [];
  const asks = steps.some((step) => step.with.includes(MODEL));
  for (const model of asks ? modelsOf(spec.model) : []) {
    const end = modelEnd(model, now);
    if (end && Date.parse(end.endsOn) < now.getTime() + SOON_MS)
      warnings.push(
        `spec.model: ${model} ${end.ended ? "ended" : "ends"} on ${end.endsOn}: its provider answers no call from then on`,
      );
  }
  const question = asks ? costOfQuestion(spec.model, SHORT_QUESTION) : undefined;
  if (spec.budget && question !== undefined && Number(spec.budget.maxUsd) < question)
    warnings.push(
      `spec.budget.maxUsd ${spec.budget.maxUsd} is less than one question to the model may cost ($${question.toFixed(6)}): no step will ask it`,
    );
  const { run } = spec.deadlines;
  for (const { name, gate } of run === undefined ? [] : steps) {
    const timeout = gate?.timeout ?? spec.review.timeout;
    if (gate && run !== undefined && spec.review.required && parseDuration(run) < parseDuration(timeout))
      warnings.push(
        `spec.deadlines.run ${run} ends the run before the gate ${name} has waited its ${timeout}: raise it, or lower review.timeout`,
      );
  }
  return warnings;
}
