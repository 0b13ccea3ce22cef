import { existsSync } from "node:fs";
import type { AgentPipeline } from "../crd/agentpipeline.ts";
import { formatProblems } from "../crd/parse.ts";
import { loadShipped } from "../pipelines/shipped.ts";
import { readDocuments } from "./documents.ts";

/** The pipeline that a name or a file means: one that ships, or the only AgentPipeline in the file. */
export async function findPipeline(nameOrFile: string): Promise<{ pipeline: AgentPipeline } | { problem: string }> {
  const { pipelines } = await loadShipped();
  const shipped = pipelines.find(({ metadata }) => metadata.name === nameOrFile);
  if (shipped) return { pipeline: shipped };
  if (!existsSync(nameOrFile)) {
    const names = pipelines.map(({ metadata }) => metadata.name).join(", ");
    return { problem: `${nameOrFile} is neither a pipeline that ships (${names}) nor a file` };
  }
  const documents = await readDocuments([nameOrFile]);
  if (documents.problems.length > 0) return { problem: formatProblems(documents.problems) };
  const [first, second] = documents.pipelines;
  if (!first || second)
    return { problem: `${nameOrFile}: expected one AgentPipeline, found ${second ? "several" : "none"}` };
  return { pipeline: first.value };
}
