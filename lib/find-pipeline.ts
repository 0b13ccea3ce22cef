import { type AgentPipeline, agentPipelineSchema } from "../crd/agentpipeline.ts";
import type { AgentWorkload } from "../crd/agentworkload.ts";
import { candidates, imagePipeline, SHARED_NAMESPACE } from "../engine/freeze.ts";
import type { Kube, KubeObject } from "./edges/kube.ts";
import { schemaProblems } from "./schema-problems.ts";

export interface FindPipelineDeps {
  readonly kube: Pick<Kube, "pipelines">;
  /** The pipeline of workloads that name none. */
  readonly defaultPipeline?: string;
}

/** Why there is no pipeline to run. */
export interface NoPipeline {
  readonly reason: "InvalidSpec" | "InvalidPipeline" | "PipelineNotFound";
  readonly message: string;
}

/** The pipeline of a workload: that of its image, or the one that it names, of its namespace or a shared one. */
export async function findPipeline(
  { metadata, spec }: Pick<AgentWorkload, "metadata" | "spec">,
  deps: FindPipelineDeps,
): Promise<AgentPipeline | NoPipeline> {
  if (spec.image !== undefined) return imagePipeline({ metadata });
  const name = spec.pipeline ?? deps.defaultPipeline;
  if (name === undefined)
    return {
      reason: "InvalidSpec",
      message: "the spec is invalid: name a pipeline, for this installation has no default (DEFAULT_PIPELINE)",
    };
  for (const ref of candidates(name, metadata.namespace)) {
    const object = await deps.kube.pipelines.get(ref);
    if (!object) continue;
    const parsed = agentPipelineSchema.safeParse(withoutStatus(object));
    if (parsed.success) return parsed.data;
    return {
      reason: "InvalidPipeline",
      message: `the pipeline ${ref.namespace}/${ref.name} is invalid: ${schemaProblems(parsed.error)}`,
    };
  }
  return {
    reason: "PipelineNotFound",
    message: `there is no AgentPipeline ${name} in ${metadata.namespace} or ${SHARED_NAMESPACE}: apply it, and the workload goes on`,
  };
}

function withoutStatus({ metadata, spec, ...rest }: KubeObject): object {
  const { namespace, name } = metadata;
  return { apiVersion: rest["apiVersion"], kind: rest["kind"], metadata: { namespace, name }, spec };
}
