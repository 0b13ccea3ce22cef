import type { Agent } from "../../crd/agent.ts";
import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import { type AgentSchedule, workloadOfTemplate } from "../../crd/agentschedule.ts";
import { type ParsedObject, parseObject } from "../../crd/parse.ts";
import { pathText } from "../../crd/path-text.ts";
import { addressProblems } from "../../engine/agent-address.ts";
import { agentProblems, pipelineProblems, problemTexts } from "../../engine/check.ts";
import type { Judgement } from "./admission-review.ts";
import type { JudgeDeps } from "./deps.ts";
import { WILL_WAIT } from "./judge-quota.ts";
import { judgeWorkload } from "./judge-workload.ts";
import { missingAgents } from "./missing-agents.ts";

/** What is wrong with an object that somebody applies, and what is unwise of it. @throws RetryableError of the API server */
export async function judge(object: Readonly<Record<string, unknown>>, deps: JudgeDeps): Promise<Judgement> {
  const parsed = parseObject(asWritten(object));
  if (!("problems" in parsed)) return judgeParsed(parsed, deps);
  const problems = parsed.problems.map(({ path, message }) => `${pathText(path)} ${message}`.trim());
  const rest = parsed.rest ? await judgeParsed(parsed.rest, deps) : undefined;
  return { problems: [...problems, ...(rest?.problems ?? [])], warnings: [] };
}

function judgeParsed(parsed: ParsedObject, deps: JudgeDeps): Promise<Judgement> {
  switch (parsed.kind) {
    case "Agent":
      return judgeAgent(parsed.value, deps);
    case "AgentPipeline":
      return judgePipeline(parsed.value, deps);
    case "AgentWorkload":
      return judgeWorkload(parsed.value, deps);
    case "AgentSchedule":
      return judgeSchedule(parsed.value, deps);
  }
}

/** Without what the API server adds, and without the status, which is reconcile's. With generateName the name comes after admission. */
function asWritten({ apiVersion, kind, metadata, spec }: Readonly<Record<string, unknown>>): object {
  const { namespace, name, generateName } = (metadata ?? {}) as Record<string, unknown>;
  return { apiVersion, kind, metadata: { namespace, name: name ?? `${generateName ?? ""}00000` }, spec };
}

async function judgeAgent(agent: Agent, { kube }: JudgeDeps): Promise<Judgement> {
  const problems = [...(await addressProblems(agent, kube.isNamespace)), ...(await agentProblems(agent.spec))];
  return { problems: problemTexts(problems), warnings: [] };
}

/** Its template is judged as the workloads are that it will make: whether there is room for one now says nothing of them. */
async function judgeSchedule(schedule: AgentSchedule, deps: JudgeDeps): Promise<Judgement> {
  const { problems, warnings } = await judgeWorkload(workloadOfTemplate(schedule), deps);
  const inTemplate = (text: string): string => text.replace(/^spec\b/, "spec.workloadTemplate.spec");
  return {
    problems: problems.map(inTemplate),
    warnings: warnings.filter((text) => !text.startsWith(WILL_WAIT)).map(inTemplate),
  };
}

async function judgePipeline(pipeline: AgentPipeline, deps: JudgeDeps): Promise<Judgement> {
  const problems = problemTexts(await pipelineProblems(pipeline.spec));
  return { problems, warnings: problems.length > 0 ? [] : await missingAgents(pipeline, deps) };
}
