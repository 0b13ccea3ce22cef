import { admissionProblems } from "../crd/admission.ts";
import type { AgentPipeline } from "../crd/agentpipeline.ts";
import type { AgentWorkload } from "../crd/agentworkload.ts";
import { label } from "../crd/fields.ts";
import { inputProblems, type SpecProblem } from "./check.ts";

/**
 * What is wrong with a workload, given its pipeline, which must be valid. `allowPrivateHosts`: names that `agentic run --resolve`
 * points at a local server on purpose.
 */
export async function workloadProblems(
  { metadata, spec }: Pick<AgentWorkload, "metadata" | "spec">,
  pipeline: Pick<AgentPipeline, "spec">,
  allowPrivateHosts: ReadonlySet<string>,
): Promise<SpecProblem[]> {
  const problems: SpecProblem[] = [];
  if (spec.image !== undefined && !label.safeParse(metadata.name).success)
    problems.push({
      path: ["image"],
      message:
        "needs a shorter or plainer metadata.name: its Agent has the same name, at most 40 lower-case letters, digits and dashes, a letter first",
    });
  const { from } = spec.rerun ?? {};
  const names = pipeline.spec.steps.map(({ name }) => name);
  if (from !== undefined && !names.includes(from))
    problems.push({ path: ["rerun", "from"], message: `there is no step ${from}; the steps are ${names.join(", ")}` });
  return [
    ...problems,
    ...(await inputProblems(pipeline.spec, spec.inputs)),
    ...admissionProblems(spec.inputs, allowPrivateHosts),
  ];
}
