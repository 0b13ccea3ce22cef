import type { AgentPipeline } from "../../crd/agentpipeline.ts";
import { outputStep, type PipelineStep } from "../../engine/pipeline.ts";
import { inOrder } from "../../engine/stages.ts";
import { EXIT } from "../exit-code.ts";
import { findPipeline } from "../find-pipeline.ts";
import { inputFields } from "../input-schema.ts";
import { program } from "../invocation.ts";

/** `agentic explain PIPELINE`: what it does, what it wants, and its steps. */
export async function explain(nameOrFile: string): Promise<number> {
  const found = await findPipeline(nameOrFile);
  if ("problem" in found) {
    process.stderr.write(`agentic: ${found.problem}\n`);
    return EXIT.invalid;
  }
  process.stdout.write(explanation(found.pipeline, nameOrFile));
  return EXIT.succeeded;
}

export function explanation({ metadata, spec }: AgentPipeline, nameOrFile: string): string {
  const inputs = inputFields(spec.inputs.schema).map(({ name, required, type, description }) => [
    name,
    `${type}${required ? "" : " (optional)"}${description ? `. ${description}` : ""}`,
  ]);
  const steps = inOrder(spec.steps).map((step) => [step.name, describe(step)]);
  const output = outputStep(spec);
  return [
    metadata.name,
    ...(spec.description ? [spec.description] : []),
    "",
    "Inputs",
    ...(inputs.length > 0 ? table(inputs) : ["  none"]),
    "",
    "Steps",
    ...table(steps),
    "",
    `Output: the artifacts of ${output}`,
    `Start a workload: ${program()} init ${nameOrFile}`,
    "",
  ].join("\n");
}

function describe(step: PipelineStep): string {
  const parts = [step.gate ? "a person decides" : `agent ${step.agent}`];
  if (step.gate?.show) parts.push(`sees ${step.gate.show.join(", ")}`);
  if (step.gate?.timeout) parts.push(`within ${step.gate.timeout}`);
  if (step.forEach !== undefined) parts.push(`for each of ${step.forEach}`);
  if (step.after.length > 0) parts.push(`after ${step.after.join(", ")}`);
  if (step.when !== undefined) parts.push(`when ${step.when}`);
  return parts.join("; ");
}

function table(rows: readonly (readonly string[])[]): string[] {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`);
}
