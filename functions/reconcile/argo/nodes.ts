import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import { type Comparison, comparisonSchema } from "../../../crd/agentworkload.ts";
import type { FrozenPipeline } from "../../../engine/pipeline.ts";
import type { JsonPatchOperation, KubeObject } from "../../../lib/edges/kube.ts";
import { parseJson } from "../../../lib/parse-json.ts";
import type { NodeRole, NodeView, RunView, Settlement } from "../run-engine.ts";
import {
  COMPARISON_ANNOTATION,
  END,
  INDEX_PARAMETER,
  NUDGED_AT,
  PIPELINE_ANNOTATION,
  RESULT_PARAMETER,
  SPEC_ANNOTATION,
  SUPERSEDED,
  TERMS_ANNOTATION,
} from "./names.ts";

const FULFILLED = new Set(["Succeeded", "Failed", "Error"]);
const ENDED = new Set([...FULFILLED, "Skipped", "Omitted"]);

const parametersSchema = z.object({
  parameters: z
    .array(z.looseObject({ name: z.string(), value: z.union([z.string(), z.number()]).optional() }))
    .default([]),
});
const nodeSchema = z.looseObject({
  id: z.string(),
  name: z.string().default(""),
  type: z.string(),
  templateName: z.string().default(""),
  phase: z.string().default("Pending"),
  startedAt: z.string().nullish(),
  finishedAt: z.string().nullish(),
  message: z.string().default(""),
  inputs: parametersSchema.optional(),
  outputs: parametersSchema.optional(),
});
type Node = z.infer<typeof nodeSchema>;
const nodesSchema = z.record(z.string(), nodeSchema);
const taskSchema = z.looseObject({ name: z.string(), depends: z.string().default("") });
const templateSchema = z.looseObject({
  name: z.string(),
  dag: z.looseObject({ tasks: z.array(taskSchema) }).optional(),
});
const specSchema = z.looseObject({
  suspend: z.boolean().nullish(),
  shutdown: z.string().nullish(),
  templates: z.array(templateSchema).default([]),
});
const statusSchema = z.looseObject({
  phase: z.enum(["", "Pending", "Running", "Succeeded", "Failed", "Error"]).default(""),
  message: z.string().default(""),
  finishedAt: z.string().nullish(),
  nodes: nodesSchema.nullish(),
  compressedNodes: z.string().nullish(),
});

/** A Workflow as Argo 4.0 keeps it; over 1 MiB its nodes are gzipped and in base64. */
export function viewWorkflow(object: KubeObject): RunView {
  const status = statusSchema.parse(object.status ?? {});
  const spec = specSchema.parse(object.spec ?? {});
  const nodes = status.compressedNodes ? nodesSchema.parse(decompress(status.compressedNodes)) : (status.nodes ?? {});
  const settledUnseenAt = lastSettledUnseen(nodes, spec.templates);
  const nudgedAt = object.metadata.annotations[NUDGED_AT];
  const pipeline = frozenPipeline(object);
  const comparison = comparisonOf(object);
  const acceptedSpec = object.metadata.annotations[SPEC_ANNOTATION];
  const acceptedTerms = object.metadata.annotations[TERMS_ANNOTATION];
  return {
    name: object.metadata.name,
    uid: object.metadata.uid,
    createdAt: new Date(object.metadata.creationTimestamp),
    deleted: object.metadata.deletionTimestamp !== undefined,
    phase: status.phase,
    message: status.message,
    ...(status.finishedAt ? { finishedAt: status.finishedAt } : {}),
    suspended: spec.suspend === true,
    shutdown: Boolean(spec.shutdown),
    superseded: object.metadata.annotations[SUPERSEDED] !== undefined,
    ...(pipeline ? { pipeline } : {}),
    ...(comparison ? { comparison } : {}),
    // Part of an object's key, and others can write here.
    ...(acceptedSpec !== undefined && /^[0-9a-f]{64}$/.test(acceptedSpec) ? { acceptedSpec } : {}),
    ...(acceptedTerms === undefined ? {} : { acceptedTerms }),
    nodes: Object.values(nodes).flatMap((node) => viewNode(node) ?? []),
    ...(settledUnseenAt ? { settledUnseenAt } : {}),
    ...(nudgedAt ? { nudgedAt: new Date(nudgedAt) } : {}),
    object,
  };
}

/** Written by reconcile. Whether it is as it was written, its seal says (seal.ts). */
function frozenPipeline({ metadata }: KubeObject): FrozenPipeline | undefined {
  const text = metadata.annotations[PIPELINE_ANNOTATION];
  if (text === undefined) return undefined;
  try {
    const pipeline = JSON.parse(text) as FrozenPipeline;
    return Array.isArray(pipeline.steps) ? pipeline : undefined;
  } catch {
    return undefined;
  }
}

/** Others can write here: it names a workload of the same namespace, and bytes of that workload alone are read because of it. */
function comparisonOf({ metadata }: KubeObject): Comparison | undefined {
  return comparisonSchema.safeParse(parseJson(metadata.annotations[COMPARISON_ANNOTATION] ?? "")).data;
}

/**
 * When the last node was settled that the controller has something to do about: start or omit a task that depends on it, or end its DAG.
 * While all that depends on a node waits for another one too, nothing shows whether the controller has seen its end, and nothing has to.
 */
function lastSettledUnseen(
  nodes: Readonly<Record<string, Node>>,
  templates: readonly z.infer<typeof templateSchema>[],
): Date | undefined {
  const tasksOf = new Map(templates.map(({ name, dag }) => [name, dag?.tasks ?? []]));
  const byName = new Map(Object.values(nodes).map((node) => [node.name, node]));
  let last = "";
  for (const dag of Object.values(nodes)) {
    const tasks = dag.phase === "Running" ? (tasksOf.get(dag.templateName) ?? []) : [];
    const nodeOf = (task: string): Node | undefined => byName.get(`${dag.name}.${task}`);
    const due = tasks.filter(({ name }) => !nodeOf(name)).map(({ depends }) => dependencies(depends));
    // Without a task that is still to start, the DAG itself is next.
    for (const names of due.length > 0 ? due : [tasks.map(({ name }) => name)]) {
      const before = names.flatMap((name) => nodeOf(name) ?? []);
      if (before.length < names.length || !before.every(({ phase }) => ENDED.has(phase))) continue;
      for (const node of before) if (settledAt(node) > last) last = settledAt(node);
    }
  }
  return last ? new Date(last) : undefined;
}

/** The tasks that a `depends` names, as render.ts writes it: `a.Succeeded && (b.Failed || b.Skipped)`. */
function dependencies(depends: string): string[] {
  return [...new Set([...depends.matchAll(/([-a-z0-9]+)\.[A-Z]/g)].map(([, name = ""]) => name))];
}

/** Whoever settles a node by hand may leave its end out. Empty: Argo ended it by itself. */
function settledAt({ type, phase, finishedAt, startedAt }: Node): string {
  return type === "Suspend" && FULFILLED.has(phase) ? finishedAt || startedAt || "" : "";
}

function viewNode(node: Node): NodeView | undefined {
  const what = node.type === "Suspend" ? roleOf(node.templateName) : undefined;
  if (!what) return undefined;
  const index = node.inputs?.parameters.find(({ name }) => name === INDEX_PARAMETER)?.value;
  const output = node.outputs?.parameters.find(({ name }) => name === RESULT_PARAMETER)?.value;
  return {
    id: node.id,
    ...what,
    ...(index === undefined ? {} : { index: Number(index) }),
    phase: node.phase as NodeView["phase"],
    startedAt: node.startedAt ?? "",
    ...(node.finishedAt ? { finishedAt: node.finishedAt } : {}),
    ...(node.message ? { message: node.message } : {}),
    ...(output === undefined ? {} : { output: String(output) }),
  };
}

/** By the template's prefix (names.ts). */
function roleOf(template: string): { role: NodeRole; step: string } | undefined {
  if (template === END) return { role: "end", step: "" };
  const match = /^(step|gate|list)-(.+)$/.exec(template);
  return match?.[2] === undefined ? undefined : { role: match[1] as NodeRole, step: match[2] };
}

/**
 * One conditional write for all of them. Each node is tested for being what was seen: the rest of the Workflow may change
 * meanwhile, as it does while the controller works on it. Compressed nodes are one value, and so tested as one.
 */
export function settlePatch(view: RunView, settlements: readonly Settlement[], now: Date): JsonPatchOperation[] {
  const finishedAt = `${now.toISOString().slice(0, 19)}Z`;
  const compressed = statusSchema.parse(view.object.status ?? {}).compressedNodes;
  if (compressed) {
    const nodes = nodesSchema.parse(decompress(compressed));
    for (const settlement of settlements) {
      const node = nodes[settlement.node.id];
      if (node) Object.assign(node, settled(settlement, finishedAt));
    }
    // `nodes` stays empty: beside it the compressed ones would be lost.
    return [
      { op: "test", path: "/status/compressedNodes", value: compressed },
      { op: "replace", path: "/status/compressedNodes", value: gzipSync(JSON.stringify(nodes)).toString("base64") },
    ];
  }
  return settlements.flatMap((settlement) => {
    const path = `/status/nodes/${settlement.node.id}`;
    return [
      { op: "test", path: `${path}/phase`, value: "Running" },
      { op: "test", path: `${path}/startedAt`, value: settlement.node.startedAt },
      ...Object.entries(settled(settlement, finishedAt)).map(([key, value]) => ({
        op: "add" as const,
        path: `${path}/${key}`,
        value,
      })),
    ];
  });
}

function settled({ phase, output, message }: Settlement, finishedAt: string): Record<string, unknown> {
  return {
    phase,
    finishedAt,
    ...(message ? { message } : {}),
    outputs: { parameters: [{ name: RESULT_PARAMETER, value: output }] },
  };
}

function decompress(nodes: string): unknown {
  return JSON.parse(gunzipSync(Buffer.from(nodes, "base64")).toString("utf8"));
}
