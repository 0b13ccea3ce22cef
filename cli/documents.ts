import { readFile } from "node:fs/promises";
import { duplicateProblems, type ParsedDocument, type Problem, parseDocuments, specProblems } from "../crd/parse.ts";
import { pipelineProblems, type SpecProblem } from "../engine/check.ts";
import { schemaProblem } from "../engine/json-schema.ts";

type OfKind<K extends ParsedDocument["kind"]> = Extract<ParsedDocument, { readonly kind: K }>;
export type AgentDocument = OfKind<"Agent">;
export type PipelineDocument = OfKind<"AgentPipeline">;
export type WorkloadDocument = OfKind<"AgentWorkload">;

/** The documents of several files, and all of their problems. A document with a problem in its form is in `rest` alone, without it. */
export interface Documents {
  readonly all: readonly ParsedDocument[];
  readonly agents: readonly AgentDocument[];
  readonly pipelines: readonly PipelineDocument[];
  readonly workloads: readonly WorkloadDocument[];
  readonly rest: readonly ParsedDocument[];
  readonly problems: readonly Problem[];
}

/** Reads files and checks each document by itself; what depends on several documents is checked in cli/resolve.ts. */
export async function readDocuments(files: readonly string[]): Promise<Documents> {
  const read = await Promise.all(files.map(readFileDocuments));
  const all = read.flatMap((one) => ("documents" in one ? one.documents : []));
  const rest = read.flatMap((one) => ("errors" in one ? one.rest : []));
  const checked = await Promise.all([...all, ...rest].map(async (one) => specProblems(one, await problemsOf(one))));
  return {
    all,
    agents: all.filter((one) => one.kind === "Agent"),
    pipelines: all.filter((one) => one.kind === "AgentPipeline"),
    workloads: all.filter((one) => one.kind === "AgentWorkload"),
    rest,
    problems: [
      ...read.flatMap((one) => ("errors" in one ? one.errors : [])),
      ...duplicateProblems(all),
      ...checked.flat(),
    ],
  };
}

async function readFileDocuments(file: string) {
  try {
    return parseDocuments(await readFile(file, "utf8"), { file });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { errors: [{ file, line: 1, column: 1, path: "", message: `cannot be read: ${why}` }], rest: [] };
  }
}

async function problemsOf(document: ParsedDocument): Promise<SpecProblem[]> {
  if (document.kind === "AgentPipeline") return pipelineProblems(document.value.spec);
  if (document.kind !== "Agent" || !document.value.spec.output) return [];
  const problem = await schemaProblem(document.value.spec.output.schema);
  return problem === undefined ? [] : [{ path: ["output", "schema"], message: `is no usable JSON Schema: ${problem}` }];
}
