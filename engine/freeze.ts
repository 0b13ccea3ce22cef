import type { Agent } from "../crd/agent.ts";
import type { AgentPipeline } from "../crd/agentpipeline.ts";
import type { AgentWorkload } from "../crd/agentworkload.ts";
import { type FrozenAgent, type FrozenPipeline, outputStep } from "./pipeline.ts";

/** The namespace whose pipelines and agents every namespace shares. */
export const SHARED_NAMESPACE = "agentic-system";

/** Bytes of a frozen pipeline as JSON: it is an annotation, and Kubernetes allows 256 KiB for all annotations of an object. */
const MAX_FROZEN_BYTES = 200_000;

/**
 * Where to look for a pipeline or agent that an object of `namespace` names, in this order. Nobody names one of another namespace: what
 * runs there is its owner's to pay for.
 */
export function candidates(name: string, namespace: string): { namespace: string; name: string }[] {
  const own = { namespace, name };
  return namespace === SHARED_NAMESPACE ? [own] : [own, { namespace: SHARED_NAMESPACE, name }];
}

/** The agents that a pipeline's steps name, each once. */
export function agentNames(pipeline: Pick<AgentPipeline, "spec">): string[] {
  return [...new Set(pipeline.spec.steps.flatMap(({ agent }) => (agent === undefined ? [] : [agent])))];
}

/** The pipeline of a workload that names an image instead: one step for each entry of inputs.items, done by the Agent of the workload's name. */
export function imagePipeline({ metadata }: Pick<AgentWorkload, "metadata">): AgentPipeline {
  return {
    apiVersion: "agentic.dev/v1alpha1",
    kind: "AgentPipeline",
    metadata: { namespace: metadata.namespace, name: metadata.name },
    spec: {
      description: "The workload's image, for each of its items.",
      inputs: {
        schema: {
          type: "object",
          required: ["items"],
          properties: { items: { type: "array", minItems: 1, items: { type: ["string", "object"] } } },
        },
      },
      steps: [
        {
          name: "run",
          agent: metadata.name,
          after: [],
          forEach: "inputs.items",
          with: [],
          egress: { item: true },
        },
      ],
    },
  };
}

/** Freezes a pipeline with the agents that its steps name. Both must be valid. */
export function freeze(
  pipeline: AgentPipeline,
  agents: ReadonlyMap<string, Agent & { readonly revision: string }>,
): { pipeline: FrozenPipeline } | { problem: string } {
  const { metadata, spec } = pipeline;
  const frozen: FrozenPipeline = {
    namespace: metadata.namespace,
    name: metadata.name,
    ...(spec.description === undefined ? {} : { description: spec.description }),
    steps: spec.steps,
    output: outputStep(spec),
    agents: Object.fromEntries([...agents].map(([name, agent]) => [name, frozenAgent(agent)])),
  };
  const bytes = Buffer.byteLength(JSON.stringify(frozen));
  if (bytes > MAX_FROZEN_BYTES)
    return {
      problem: `the pipeline and its agents' schemas take ${bytes} bytes, ${MAX_FROZEN_BYTES} at most: shorten the schemas`,
    };
  return { pipeline: frozen };
}

function frozenAgent({ metadata, spec, revision }: Agent & { readonly revision: string }): FrozenAgent {
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    revision,
    ...(spec.output ? { output: spec.output.schema } : {}),
  };
}
