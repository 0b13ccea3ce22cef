import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import { agentNames, candidates, SHARED_NAMESPACE } from "../../engine/freeze.ts";
import type { JudgeDeps } from "./deps.ts";

/** Objects may be applied in any order: an agent that is missing yet is a warning. */
export async function missingAgents(
  pipeline: Pick<AgentPipeline, "metadata" | "spec">,
  { kube }: Pick<JudgeDeps, "kube">,
): Promise<string[]> {
  const { namespace } = pipeline.metadata;
  const missing = await Promise.all(
    agentNames(pipeline).map(async (name) => {
      for (const ref of candidates(name, namespace)) if (await kube.agents.get(ref)) return [];
      return [`there is no Agent ${name} in ${namespace} or ${SHARED_NAMESPACE} yet: runs wait for it`];
    }),
  );
  return missing.flat();
}
