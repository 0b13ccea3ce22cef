import { type ArtifactOwner, isArtifactOf } from "./artifact-key.ts";
import { validateBySchema } from "./json-schema.ts";
import type { FrozenAgent, PipelineStep } from "./pipeline.ts";
import { failedResult, MAX_ITEMS, type StepResult } from "./result.ts";

/** Problems that a message lists: a result with 500 wrong entries must stay readable. */
const MAX_LISTED = 5;

/**
 * The result, or the failure of a step whose result names another workload's artifact, whose data does not match the output schema of
 * its agent, or that returned more items than its pipeline allows. What the step cost is kept.
 */
export async function checkedResult(
  result: StepResult,
  { name, output }: FrozenAgent,
  workload: ArtifactOwner,
  { maxItems = MAX_ITEMS }: Pick<PipelineStep, "maxItems"> = {},
): Promise<StepResult> {
  const foreign = Object.entries(result.artifacts).find(([, key]) => !isArtifactOf(workload, key));
  if (foreign) {
    const [role, key] = foreign.map((text) => JSON.stringify(text.slice(0, 200)));
    const message = `agent ${name} returned ${key} as its artifact ${role}, which is no artifact of this workload: return the keys that artifacts.put returned for it`;
    return { ...failedResult("InvalidArtifactKey", message), usage: result.usage };
  }
  const returned = result.items?.length ?? 0;
  if (returned > maxItems) {
    const message = `agent ${name} returned ${returned} items; maxItems of its step allows ${maxItems}`;
    return { ...failedResult("TooManyItems", message), usage: result.usage };
  }
  if (result.outcome !== "succeeded" || output === undefined) return result;
  const problems = await validateBySchema(output, result.data ?? null);
  if (problems.length === 0) return result;
  const listed = problems.slice(0, MAX_LISTED).map(({ path, message }) => `${["data", ...path].join(".")} ${message}`);
  const more = problems.length > MAX_LISTED ? `, and ${problems.length - MAX_LISTED} more` : "";
  const message = `agent ${name} returned data that does not match its output schema: ${listed.join("; ")}${more}`;
  return { ...failedResult("InvalidOutput", message), usage: result.usage };
}
