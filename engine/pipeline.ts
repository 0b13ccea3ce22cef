import type { PipelineSpec, PipelineStep } from "../crd/agentpipeline.ts";

/** The pipeline as its types name it; engine/ reads no other part of crd/ than types and durations. */
export type { PipelineStep };

/** An agent as a run froze it. */
export interface FrozenAgent {
  readonly namespace: string;
  readonly name: string;
  /** Part of the identity of its steps. */
  readonly revision: string;
  /** JSON Schema of a result's data. */
  readonly output?: Readonly<Record<string, unknown>>;
}

/** A pipeline and its agents as a run froze them at its start: later edits change nothing of the run. */
export interface FrozenPipeline {
  readonly namespace: string;
  readonly name: string;
  readonly description?: string;
  readonly steps: readonly PipelineStep[];
  /** The step whose artifacts are the run's outputs. */
  readonly output: string;
  /** By what the pipeline's steps call them. */
  readonly agents: Readonly<Record<string, FrozenAgent>>;
}

export function outputStep({ steps, output }: Pick<PipelineSpec, "steps" | "output">): string {
  return output ?? steps.at(-1)?.name ?? "";
}

/** A list of the run: an input, or what a step returned. */
export type ListRef = { readonly input: string } | { readonly step: string };

/** Of a `forEach`, whose form the schema has checked. */
export function listRef(forEach: string): ListRef {
  return forEach.startsWith("inputs.")
    ? { input: forEach.slice("inputs.".length) }
    : { step: forEach.slice("steps.".length, -".items".length) };
}
