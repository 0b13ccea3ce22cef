import { z } from "zod";
import { digestIn } from "./artifact-key.ts";
import { canonicalJson, sha256 } from "./canonical.ts";
import { type Decision, decisionSchema } from "./findings.ts";
import { type Outcomes, usageOf } from "./outcomes.ts";
import { artifactsIn, outputsIn } from "./outputs.ts";
import { egressUsageSchema, itemSchema, modelCallsSchema, usageSchema, workloadRefSchema } from "./result.ts";
import type { Run } from "./run.ts";
import { listItems } from "./walk.ts";

/*
 * What a run did, as a statement that somebody can check who trusts neither the cluster nor its operators: an in-toto statement about the
 * run's outputs, with a chain of what led to them.
 */

const STATEMENT_TYPE = "https://in-toto.io/Statement/v1";
const PREDICATE_TYPE = "https://agentic.dev/evidence/v1";

const digestSchema = z.string().regex(/^[0-9a-f]{64}$/);
/** What the run was asked for; how each step ended, with the digest of its result; how each gate was decided. */
const entrySchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("inputs"), inputs: z.record(z.string(), z.unknown()) }),
  z.strictObject({
    kind: z.literal("pipeline"),
    namespace: z.string(),
    name: z.string(),
    /** sha256 of the frozen pipeline's canonical JSON. */
    digest: digestSchema,
    /** By what the pipeline's steps call them: NAMESPACE/NAME and revision. */
    agents: z.record(z.string(), z.strictObject({ agent: z.string(), revision: z.string() })),
  }),
  /** The run that it was compared with: whose, and sha256 of its results. */
  z.strictObject({
    kind: z.literal("comparedWith"),
    workload: workloadRefSchema,
    results: digestSchema,
  }),
  z.strictObject({
    kind: z.literal("step"),
    step: z.string(),
    index: z.int().optional(),
    item: itemSchema.optional(),
    outcome: z.enum(["succeeded", "failed", "skipped"]),
    reason: z.string().optional(),
    /** sha256 of the result's canonical JSON; none of a skipped step. */
    result: digestSchema.optional(),
    artifacts: z.record(z.string(), z.string()),
    usage: usageSchema,
    modelCalls: z.array(modelCallsSchema).optional(),
    egress: egressUsageSchema.optional(),
  }),
  z.strictObject({ kind: z.literal("decision"), decision: decisionSchema.strict() }),
]);
type Entry = z.infer<typeof entrySchema>;

export const evidenceSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  /** The run's outputs. */
  subject: z.array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256: digestSchema }) })),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.strictObject({
    workload: workloadRefSchema,
    run: z.string(),
    phase: z.enum(["Succeeded", "Failed", "Rejected"]),
    reason: z.string().optional(),
    /** The step whose artifacts are the outputs. */
    output: z.string(),
    startedAt: z.iso.datetime(),
    finishedAt: z.iso.datetime(),
    usage: usageSchema,
    /** Each with the sha256 of the hash before it and of itself. */
    chain: z.array(z.strictObject({ entry: entrySchema, hash: digestSchema })),
  }),
});
export type Evidence = z.infer<typeof evidenceSchema>;

export interface EvidenceOf {
  readonly run: Run;
  readonly outcomes: Outcomes;
  readonly decisions: readonly Decision[];
  readonly phase: Evidence["predicate"]["phase"];
  readonly reason?: string | undefined;
  readonly startedAt: Date;
  readonly finishedAt: Date;
}

/** Equal runs give equal evidence, byte for byte. */
export function evidenceOf({ run, outcomes, decisions, phase, reason, startedAt, finishedAt }: EvidenceOf): Evidence {
  const entries: Entry[] = [
    { kind: "inputs", inputs: { ...run.inputs } },
    {
      kind: "pipeline",
      namespace: run.pipeline.namespace,
      name: run.pipeline.name,
      digest: sha256(canonicalJson(run.pipeline)),
      agents: Object.fromEntries(
        Object.entries(run.pipeline.agents).map(([as, { namespace, name, revision }]) => [
          as,
          { agent: `${namespace}/${name}`, revision },
        ]),
      ),
    },
    ...comparisonEntries(run),
    ...stepEntries(run, outcomes),
    ...decisions.map((decision): Entry => ({ kind: "decision", decision: decisionSchema.strip().parse(decision) })),
  ];
  return {
    _type: STATEMENT_TYPE,
    subject: subjectsOf(entries, run.pipeline.output, outputsIn),
    predicateType: PREDICATE_TYPE,
    predicate: {
      workload: run.workload,
      run: run.run,
      phase,
      ...(reason === undefined ? {} : { reason }),
      output: run.pipeline.output,
      startedAt: startedAt.toISOString(),
      finishedAt: finishedAt.toISOString(),
      usage: usageOf(outcomes),
      chain: chained(entries),
    },
  };
}

/** What does not hold in evidence whose signature holds; undefined: all of it does. */
export function contradictionIn({ subject, predicate }: Evidence): string | undefined {
  const entries = predicate.chain.map(({ entry }) => entry);
  const broken = chained(entries).findIndex(({ hash }, at) => hash !== predicate.chain[at]?.hash);
  if (broken >= 0) return `entry ${broken + 1} of the chain (${titleOf(entries[broken])}) is not what its hash says`;
  // Version 0.1 named all of the step's artifacts, the summary included.
  const namings = [outputsIn, artifactsIn].map((named) => canonicalJson(subjectsOf(entries, predicate.output, named)));
  if (!namings.includes(canonicalJson(subject))) return `the outputs are not the artifacts of step ${predicate.output}`;
  const cost = entries.reduce((sum, entry) => sum + (entry.kind === "step" ? entry.usage.costUsd : 0), 0);
  if (Math.abs(cost - predicate.usage.costUsd) > 1e-9) return "the run's cost is not the sum of its steps'";
  return undefined;
}

function comparisonEntries({ workload: { namespace }, comparison }: Run): Entry[] {
  const { workload: name, uid, results = "" } = comparison ?? {};
  const digest = digestIn(results);
  if (name === undefined || uid === undefined || digest === undefined) return [];
  return [{ kind: "comparedWith", workload: { namespace, name, uid }, results: digest }];
}

function stepEntries(run: Run, outcomes: Outcomes): Entry[] {
  return run.pipeline.steps.flatMap((step) => {
    if (step.gate) return [];
    const isFanOut = step.forEach !== undefined;
    const items = isFanOut ? listItems(run, step.name, outcomes) : [];
    return (outcomes.get(step.name) ?? []).flatMap((one, index): Entry[] => {
      if (!one) return [];
      const { outcome, reason, artifacts, usage, modelCalls, egress } = one;
      const item = items[index];
      return [
        {
          kind: "step",
          step: step.name,
          ...(isFanOut ? { index } : {}),
          ...(item === undefined ? {} : { item }),
          outcome,
          ...(reason === undefined ? {} : { reason }),
          ...(outcome === "skipped" ? {} : { result: sha256(canonicalJson(one)) }),
          artifacts,
          usage,
          ...(modelCalls === undefined ? {} : { modelCalls }),
          ...(egress === undefined ? {} : { egress }),
        },
      ];
    });
  });
}

function chained(entries: readonly Entry[]): { entry: Entry; hash: string }[] {
  let before = "";
  return entries.map((entry) => {
    before = sha256(`${before}${canonicalJson(entry)}`);
    return { entry, hash: before };
  });
}

function subjectsOf(entries: readonly Entry[], output: string, named: typeof outputsIn): Evidence["subject"] {
  return entries.flatMap((entry) => {
    if (entry.kind !== "step" || entry.step !== output || entry.outcome !== "succeeded") return [];
    return named(entry.artifacts, entry.index).flatMap(({ name, key }) => {
      const digest = digestIn(key);
      return digest === undefined ? [] : [{ name, digest: { sha256: digest } }];
    });
  });
}

function titleOf(entry: Entry | undefined): string {
  switch (entry?.kind) {
    case "step":
      return entry.index === undefined ? `step ${entry.step}` : `step ${entry.step}, item ${entry.index}`;
    case "decision":
      return `decision at gate ${entry.decision.gate}`;
    default:
      return entry?.kind ?? "none";
  }
}
