import { type Agent, agentSchema } from "../../../crd/agent.ts";
import type { AgentPipeline } from "../../../crd/agentpipeline.ts";
import type { AgentWorkload } from "../../../crd/agentworkload.ts";
import { canonicalJson } from "../../../engine/canonical.ts";
import { pipelineProblems, problemTexts, type SpecProblem } from "../../../engine/check.ts";
import { agentNames, freeze, SHARED_NAMESPACE } from "../../../engine/freeze.ts";
import type { FrozenPipeline } from "../../../engine/pipeline.ts";
import { workloadProblems } from "../../../engine/workload-check.ts";
import type { Kube, KubeObject } from "../../../lib/edges/kube.ts";
import { findAgent } from "../../../lib/find-agent.ts";
import { findPipeline } from "../../../lib/find-pipeline.ts";
import { isOwnedBy } from "../owner.ts";

export interface ResolveDeps {
  readonly kube: Pick<Kube, "pipelines" | "agents">;
  /** The pipeline of workloads that name none. */
  readonly defaultPipeline?: string;
}

/** Why no run can start. `needsAgent`: the Agent of the workload's image, which is to be made. */
export interface Refusal {
  readonly reason: string;
  readonly message: string;
  readonly needsAgent?: Agent;
}

/** Finds the pipeline and its agents, checks all of it, and freezes it. */
export async function resolve(
  workload: AgentWorkload,
  object: KubeObject,
  deps: ResolveDeps,
): Promise<{ pipeline: FrozenPipeline } | Refusal> {
  const found = await findPipeline(workload, deps);
  if (!("spec" in found)) return found;
  const problems = await pipelineProblems(found.spec);
  const name = `${found.metadata.namespace}/${found.metadata.name}`;
  if (problems.length > 0)
    return { reason: "InvalidPipeline", message: `the pipeline ${name} is invalid: ${list(problems)}` };
  const own = await workloadProblems(workload, found, new Set());
  if (own.length > 0) return { reason: "InvalidSpec", message: `the spec is invalid: ${list(own)}` };
  if (workload.spec.image !== undefined) {
    const agent = imageAgent(workload, object, workload.spec.image);
    const there = await deps.kube.agents.get({ namespace: workload.metadata.namespace, name: workload.metadata.name });
    if (!there)
      return { reason: "AgentNotReady", message: "the Agent of the workload's image is being made", needsAgent: agent };
    if (!isOwnedBy(there, object))
      return {
        reason: "AgentNameTaken",
        message: `the Agent of the workload's image would be ${name}, which is there and not this workload's: give the workload another name`,
      };
    if (canonicalJson(specOf(there)) !== canonicalJson(agent.spec))
      return {
        reason: "AgentNotReady",
        message: "the Agent of the workload's image is being updated",
        needsAgent: agent,
      };
  }
  return findAgents(found, deps);
}

async function findAgents(pipeline: AgentPipeline, deps: ResolveDeps): Promise<{ pipeline: FrozenPipeline } | Refusal> {
  const agents = new Map<string, Agent & { revision: string }>();
  const problems: Refusal[] = [];
  for (const name of agentNames(pipeline)) {
    const agent = await findAgent(name, pipeline.metadata.namespace, deps.kube);
    const revision = agent?.status?.revision;
    if (!agent)
      problems.push({
        reason: "AgentNotFound",
        message: `there is no Agent ${name} in ${pipeline.metadata.namespace} or ${SHARED_NAMESPACE}: apply it, and the workload goes on`,
      });
    else if (revision === undefined) problems.push({ reason: "AgentNotReady", message: notReady(agent) });
    else agents.set(name, { ...agent, revision });
  }
  const [first] = problems;
  if (first) return { reason: first.reason, message: problems.map(({ message }) => message).join("; ") };
  const frozen = freeze(pipeline, agents);
  return "pipeline" in frozen ? frozen : { reason: "InvalidPipeline", message: frozen.problem };
}

/** Why an agent cannot be sent steps, in its own words. */
export function notReady({ metadata, status }: Agent): string {
  const ready = status?.conditions?.find(({ type }) => type === "Ready");
  const why = ready ? `${ready.reason}: ${ready.message}` : "reconcile has not looked at it yet";
  return `Agent ${metadata.namespace}/${metadata.name} is not ready (${why})`;
}

/** The Agent of a workload's image: its own, and gone with it. */
export function imageAgent({ metadata, spec }: AgentWorkload, object: KubeObject, image: string): Agent {
  return agentSchema.parse({
    apiVersion: "agentic.dev/v1alpha1",
    kind: "Agent",
    metadata: {
      namespace: metadata.namespace,
      name: metadata.name,
      ownerReferences: [
        {
          apiVersion: "agentic.dev/v1alpha1",
          kind: "AgentWorkload",
          name: metadata.name,
          uid: object.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: { image, ...(spec.resources ? { resources: spec.resources } : {}) },
  });
}

function specOf(object: KubeObject): unknown {
  return agentSchema.shape.spec.safeParse(object.spec).data ?? {};
}

const list = (problems: readonly SpecProblem[]): string => problemTexts(problems).join("; ");
