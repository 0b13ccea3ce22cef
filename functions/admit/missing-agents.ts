import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import { agentNames, SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { findAgent } from "../../lib/find-agent.ts";
import type { JudgeDeps } from "./deps.ts";

/** Objects may be applied in any order: an agent that is missing yet is a warning. */
export async function missingAgents(
  pipeline: Pick<AgentPipeline, "metadata" | "spec">,
  { kube }: Pick<JudgeDeps, "kube">,
): Promise<string[]> {
  const { namespace } = pipeline.metadata;
  const missing = await Promise.all(
    agentNames(pipeline).map(async (name) => {
      if (await findAgent(name, namespace, kube)) return [];
      return [`there is no Agent ${name} in ${namespace} or ${SHARED_NAMESPACE} yet: runs wait for it`];
    }),
  );
  return missing.flat();
}
