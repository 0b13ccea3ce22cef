import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAllDocuments } from "yaml";
import { type Agent, agentSchema } from "../crd/agent.ts";
import { type AgentPipeline, agentPipelineSchema } from "../crd/agentpipeline.ts";
import { canonicalJson } from "../engine/canonical.ts";

/** The pipeline of a local workload that names none. */
export const DEFAULT_PIPELINE = "market-analysis";

/** The pipelines and agents that ship with agentic: pipelines/NAME/pipeline.yaml and agents.yaml. */
export interface Shipped {
  readonly pipelines: readonly AgentPipeline[];
  readonly agents: readonly Agent[];
}

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

export async function loadShipped(): Promise<Shipped> {
  // Folders of packages may stand beside them.
  const folders = globSync("*/pipeline.yaml", { cwd: FOLDER }).map((file) => `${FOLDER}${dirname(file)}`);
  const [pipelines, agents] = await Promise.all([
    Promise.all(folders.map((folder) => documentsOf(`${folder}/pipeline.yaml`))),
    Promise.all(folders.map((folder) => documentsOf(`${folder}/agents.yaml`))),
  ]);
  return {
    pipelines: pipelines.flat().map((document) => agentPipelineSchema.parse(document)),
    agents: agents.flat().map((document) => agentSchema.parse(document)),
  };
}

/**
 * The FUNCTION (compose-agents.ts) that serves an agent which ships, wherever its document was read; undefined for any other agent,
 * and for one that was changed.
 */
export function shippedFunction(agent: Agent, { agents }: Shipped): string | undefined {
  const same = agents.find(
    ({ metadata, spec }) =>
      metadata.name === agent.metadata.name &&
      metadata.namespace === agent.metadata.namespace &&
      canonicalJson(spec) === canonicalJson(agent.spec),
  );
  return same?.spec.env?.find(({ name }) => name === "FUNCTION")?.value;
}

async function documentsOf(path: string): Promise<unknown[]> {
  const documents = parseAllDocuments(await readFile(path, "utf8"));
  return Array.isArray(documents) ? documents.map((document): unknown => document.toJS()) : [];
}
