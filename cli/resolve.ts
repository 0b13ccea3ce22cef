import { type Agent, agentSpecSchema } from "../crd/agent.ts";
import type { AgentPipeline } from "../crd/agentpipeline.ts";
import type { AgentWorkload, ChangeRequest } from "../crd/agentworkload.ts";
import { API_VERSION } from "../crd/fields.ts";
import { type Problem, specProblems } from "../crd/parse.ts";
import { canonicalJson, sha256 } from "../engine/canonical.ts";
import type { SpecProblem } from "../engine/check.ts";
import { agentNames, candidates, freeze, imagePipeline } from "../engine/freeze.ts";
import { type Run, runOf } from "../engine/run.ts";
import { workloadProblems } from "../engine/workload-check.ts";
import packageJson from "../package.json" with { type: "json" };
import { DEFAULT_PIPELINE, type Shipped, shippedFunction } from "../pipelines/shipped.ts";
import type { Documents, WorkloadDocument } from "./documents.ts";

/** How a run reaches one of its agents: one of our own in this process, or any other at its address. */
export type Served = { readonly function: string } | { readonly url: string };

/** A workload that can run on this machine. */
export interface ResolvedWorkload {
  readonly workload: AgentWorkload;
  readonly run: Run;
  /** By the name that the pipeline's steps use. */
  readonly served: ReadonlyMap<string, Served>;
}

export interface ResolveOptions {
  readonly documents: Documents;
  readonly shipped: Shipped;
  /** `--agent`: URLs by name. */
  readonly addresses: ReadonlyMap<string, string>;
  readonly allowPrivateHosts: ReadonlySet<string>;
  /** `--compare-with`: takes the place of spec.compareWith. */
  readonly compareWith?: string | undefined;
}

/** Finds a workload's pipeline among the given documents, then among those that ship. */
export function pipelineOf(
  { metadata, spec }: AgentWorkload,
  { documents, shipped }: Pick<ResolveOptions, "documents" | "shipped">,
): AgentPipeline | undefined {
  if (spec.image !== undefined) return imagePipeline({ metadata });
  const all = [...documents.pipelines.map(({ value }) => value), ...shipped.pipelines];
  return find(spec.pipeline ?? DEFAULT_PIPELINE, metadata.namespace, all);
}

/** Resolves a workload of valid documents. @returns every problem at once, where one keeps it from running here */
export async function resolveWorkload(
  document: WorkloadDocument,
  options: ResolveOptions,
): Promise<ResolvedWorkload | { problems: readonly Problem[] }> {
  const { compareWith = document.value.spec.compareWith } = options;
  const spec = { ...document.value.spec, ...(compareWith === undefined ? {} : { compareWith }) };
  const workload = { ...document.value, spec };
  const about = (message: string): SpecProblem => ({ path: ["pipeline"], message });
  const pipeline = pipelineOf(workload, options);
  if (!pipeline) return { problems: specProblems(document, [about(missingPipeline(workload, options))]) };
  const problems = await workloadProblems(workload, pipeline, options.allowPrivateHosts);
  const agents = new Map<string, Agent & { readonly revision: string }>();
  const served = new Map<string, Served>();
  for (const name of agentNames(pipeline)) {
    const found = serve(name, workload, pipeline, options);
    if ("problem" in found) problems.push(about(found.problem));
    else {
      agents.set(name, { ...found.agent, revision: revisionOf(found.agent, found.by) });
      served.set(name, found.by);
    }
  }
  for (const name of options.addresses.keys())
    if (!agentNames(pipeline).includes(name)) {
      const known = agentNames(pipeline).join(", ");
      problems.push(about(`has no agent ${name}, which --agent names: its agents are ${known}`));
    }
  if (problems.length > 0) return { problems: specProblems(document, problems) };
  const frozen = freeze(pipeline, agents);
  if ("problem" in frozen) return { problems: specProblems(document, [about(frozen.problem)]) };
  const { namespace, name } = workload.metadata;
  const run = runOf({ namespace, name, uid: localUid(workload) }, spec, frozen.pipeline);
  return { workload, run, served };
}

/** The run of the workload with what reviewers asked to be changed. */
export function withChanges({ run, workload }: ResolvedWorkload, changes: readonly ChangeRequest[]): Run {
  return runOf(run.workload, workload.spec, run.pipeline, { changes, comparison: run.comparison });
}

/** A workload on one machine has no uid from an API server: its name stands for it. */
function localUid({ metadata }: AgentWorkload): string {
  return metadata.uid ?? sha256(`${metadata.namespace}/${metadata.name}`).slice(0, 32);
}

function serve(
  name: string,
  workload: AgentWorkload,
  pipeline: AgentPipeline,
  { documents, shipped, addresses }: ResolveOptions,
): { agent: Agent; by: Served } | { problem: string } {
  const url = addresses.get(name);
  const all = [...imageAgents(workload), ...documents.agents.map(({ value }) => value), ...shipped.agents];
  const agent = find(name, pipeline.metadata.namespace, all);
  if (url !== undefined) return { agent: agent ?? agentAt(name, pipeline.metadata.namespace, url), by: { url } };
  if (!agent)
    return {
      problem: `needs agent ${name}, which is not in the given files: add its Agent, or pass --agent ${name}=URL`,
    };
  const shippedAs = shippedFunction(agent, shipped);
  if (shippedAs !== undefined) return { agent, by: { function: shippedAs } };
  const { uri, image, service } = agent.spec;
  if (uri !== undefined) return { agent, by: { url: uri } };
  const what = image === undefined ? `service ${service?.name}` : `image ${image}`;
  return {
    problem: `needs agent ${name} (${what}), which this command cannot start: start it yourself and pass --agent ${name}=URL`,
  };
}

/** The Agent of a workload that names an image. */
function imageAgents({ metadata, spec }: AgentWorkload): Agent[] {
  if (spec.image === undefined) return [];
  const { namespace, name } = metadata;
  const image = { image: spec.image, ...(spec.resources ? { resources: spec.resources } : {}) };
  return [agentOf(namespace, name, image)];
}

/** The Agent of an address for which no document was given. */
function agentAt(name: string, namespace: string, url: string): Agent {
  const [candidate = { namespace, name }] = candidates(name, namespace);
  return agentOf(candidate.namespace, candidate.name, { uri: url });
}

function agentOf(namespace: string, name: string, spec: object): Agent {
  return { apiVersion: API_VERSION, kind: "Agent", metadata: { namespace, name }, spec: agentSpecSchema.parse(spec) };
}

/** Part of the identity of its steps: another revision never reuses this one's results. */
function revisionOf({ spec }: Agent, by: Served): string {
  const what = "function" in by ? { version: packageJson.version, function: by.function } : spec;
  return sha256(canonicalJson(what)).slice(0, 12);
}

function find<T extends { readonly metadata: { readonly namespace: string; readonly name: string } }>(
  name: string,
  namespace: string,
  all: readonly T[],
): T | undefined {
  for (const ref of candidates(name, namespace)) {
    const found = all.find(({ metadata }) => metadata.name === ref.name && metadata.namespace === ref.namespace);
    if (found) return found;
  }
  return undefined;
}

function missingPipeline({ metadata, spec }: AgentWorkload, { documents, shipped }: ResolveOptions): string {
  const given = documents.pipelines.map(({ value: { metadata: of } }) => `${of.namespace}/${of.name}`);
  const names = shipped.pipelines.map((one) => one.metadata.name);
  return `is ${spec.pipeline ?? DEFAULT_PIPELINE}, but namespace ${metadata.namespace} has no such pipeline: add the file of its AgentPipeline${given.length > 0 ? ` (given: ${given.join(", ")})` : ""}, or choose one that ships (${names.join(", ")})`;
}
