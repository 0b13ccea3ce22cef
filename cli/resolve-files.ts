import { formatProblems } from "../crd/parse.ts";
import type { ResolvedHost } from "../lib/resolved-host.ts";
import { loadShipped } from "../pipelines/shipped.ts";
import { type Documents, readDocuments } from "./documents.ts";
import { type ResolvedWorkload, resolveWorkload } from "./resolve.ts";

export interface ResolveFilesOptions {
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  /** URLs by agent. */
  readonly agent: ReadonlyMap<string, string>;
  readonly compareWith?: string;
}

/** The one workload in the files, with its pipeline and agents. */
export async function resolveFiles(
  files: readonly string[],
  options: ResolveFilesOptions,
): Promise<ResolvedWorkload | { readonly problem: string }> {
  const allowPrivateHosts = new Set(options.resolve.keys());
  const documents = await readDocuments(files);
  if (documents.problems.length > 0) return { problem: formatProblems(documents.problems) };
  const [workload, second] = documents.workloads;
  if (!workload || second) return { problem: `agentic: expected one AgentWorkload to run; ${listed(documents)}` };
  const shipped = await loadShipped();
  const { agent: addresses, compareWith } = options;
  const given = { documents, shipped, addresses, allowPrivateHosts, compareWith };
  const resolved = await resolveWorkload(workload, given);
  return "problems" in resolved ? { problem: formatProblems(resolved.problems) } : resolved;
}

function listed({ all }: Documents): string {
  const lines = all.map(({ kind, value: { metadata }, place }) => {
    const { file, line } = place([]);
    return `  ${kind} ${metadata.namespace}/${metadata.name} at ${file}:${line}`;
  });
  return `the given files contain\n${lines.join("\n")}`;
}
