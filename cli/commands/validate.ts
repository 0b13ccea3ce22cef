import { workloadOfTemplate } from "../../crd/agentschedule.ts";
import type { AgentWorkload } from "../../crd/agentworkload.ts";
import { formatProblems, type ParsedDocument, specProblems } from "../../crd/parse.ts";
import { workloadProblems } from "../../engine/workload-check.ts";
import { loadShipped } from "../../pipelines/shipped.ts";
import { readDocuments } from "../documents.ts";
import { EXIT } from "../exit-code.ts";
import { pipelineOf } from "../resolve.ts";

/** `agentic validate FILE...`: all problems of all documents at once, each with its place. */
export async function validate(
  files: readonly string[],
  options: { readonly output: "text" | "json" },
): Promise<number> {
  const documents = await readDocuments(files);
  const shipped = await loadShipped();
  const problems = [...documents.problems];
  const notes: string[] = [];
  for (const document of [...documents.all, ...documents.rest]) {
    const { workload, below } = workloadIn(document) ?? {};
    if (!workload || !below) continue;
    const pipeline = pipelineOf(workload, { documents, shipped });
    if (pipeline) {
      const found = await workloadProblems(workload, pipeline, new Set());
      problems.push(
        ...specProblems(
          document,
          found.map(({ path, message }) => ({ path: [...below, ...path], message })),
        ),
      );
    } else if (documents.problems.length === 0)
      notes.push(
        `${document.place([]).file}: the inputs were not checked, since pipeline ${workload.spec.pipeline} neither ships nor is in the files`,
      );
  }
  problems.sort((a, b) => (a.file ?? "").localeCompare(b.file ?? "") || a.line - b.line || a.column - b.column);
  if (options.output === "json")
    process.stdout.write(`${JSON.stringify({ valid: problems.length === 0, problems }, null, 2)}\n`);
  else if (problems.length > 0) process.stderr.write(`${formatProblems(problems)}\n`);
  else process.stdout.write(files.map((file) => `${file}: valid\n`).join(""));
  for (const note of notes) process.stderr.write(`${note}\n`);
  return problems.length === 0 ? EXIT.succeeded : EXIT.invalid;
}

/** The workload that a document describes, or would make, and where its spec stands below the document's. */
function workloadIn(document: ParsedDocument): { workload: AgentWorkload; below: readonly string[] } | undefined {
  if (document.kind === "AgentWorkload") return { workload: document.value, below: [] };
  if (document.kind !== "AgentSchedule") return undefined;
  return { workload: workloadOfTemplate(document.value), below: ["workloadTemplate", "spec"] };
}
