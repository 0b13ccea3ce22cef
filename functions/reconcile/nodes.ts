import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import type { JsonPatchOperation, KubeObject } from "../../lib/edges/kube.ts";
import { INDEX_PARAMETER } from "./workflow.ts";

/** A suspend node: one step of one entry, or a step that runs once. */
export interface NodeView {
  readonly id: string;
  /** The step's name. */
  readonly step: string;
  readonly index?: number;
  readonly phase: "Running" | "Succeeded" | "Failed" | "Error" | "Skipped" | "Omitted" | "Pending";
  /** As Argo writes it: another attempt has another start. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly message?: string;
  /** The one output parameter, once it has a value. */
  readonly output?: string;
}

export interface WorkflowView {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Date;
  readonly deleted: boolean;
  /** Empty until Argo has seen it. */
  readonly phase: "" | "Pending" | "Running" | "Succeeded" | "Failed" | "Error";
  readonly message: string;
  readonly finishedAt?: string;
  /** `argo suspend`. */
  readonly suspended: boolean;
  /** `argo stop` or `argo terminate`. */
  readonly shutdown: boolean;
  readonly nodes: readonly NodeView[];
  /** As Argo keeps them, where they are over 1 MiB. */
  readonly compressedNodes?: string;
  /** When the last node was settled that Argo has not yet gone on from. */
  readonly settledUnseenAt?: Date;
  /** When Argo was last told to look. */
  readonly nudgedAt?: Date;
  readonly object: KubeObject;
}

/** Annotation: its change is what Argo sees of a nudge, its time is how long ago that was. */
export const NUDGED_AT = "agentic.dev/nudged-at";

const FULFILLED = new Set(["Succeeded", "Failed", "Error"]);

const parametersSchema = z.object({
  parameters: z
    .array(z.looseObject({ name: z.string(), value: z.union([z.string(), z.number()]).optional() }))
    .default([]),
});
const nodeSchema = z.looseObject({
  id: z.string(),
  type: z.string(),
  templateName: z.string().default(""),
  phase: z.string().default("Pending"),
  startedAt: z.string().nullish(),
  finishedAt: z.string().nullish(),
  message: z.string().default(""),
  inputs: parametersSchema.optional(),
  outputs: parametersSchema.optional(),
  boundaryID: z.string().optional(),
  children: z.array(z.string()).nullish(),
});
type Node = z.infer<typeof nodeSchema>;
const nodesSchema = z.record(z.string(), nodeSchema);
const specSchema = z.looseObject({ suspend: z.boolean().nullish(), shutdown: z.string().nullish() });
const statusSchema = z.looseObject({
  phase: z.enum(["", "Pending", "Running", "Succeeded", "Failed", "Error"]).default(""),
  message: z.string().default(""),
  finishedAt: z.string().nullish(),
  nodes: nodesSchema.nullish(),
  compressedNodes: z.string().nullish(),
});

/** A Workflow as Argo 4.0 keeps it; over 1 MiB its nodes are gzipped and in base64. */
export function viewWorkflow(object: KubeObject): WorkflowView {
  const status = statusSchema.parse(object.status ?? {});
  const spec = specSchema.parse(object.spec ?? {});
  const nodes = status.compressedNodes ? nodesSchema.parse(decompress(status.compressedNodes)) : (status.nodes ?? {});
  const settledUnseenAt = lastSettledUnseen(nodes);
  const nudgedAt = object.metadata.annotations[NUDGED_AT];
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
    nodes: Object.values(nodes).flatMap((node) => (node.type === "Suspend" ? [viewNode(node)] : [])),
    ...(status.compressedNodes ? { compressedNodes: status.compressedNodes } : {}),
    ...(settledUnseenAt ? { settledUnseenAt } : {}),
    ...(nudgedAt ? { nudgedAt: new Date(nudgedAt) } : {}),
    object,
  };
}

/** Where Argo has seen a node's end, the DAG around it has ended too, or the next node hangs on it. */
function lastSettledUnseen(nodes: Readonly<Record<string, Node>>): Date | undefined {
  const unseen = Object.values(nodes).filter(
    ({ type, phase, boundaryID = "", children }) =>
      type === "Suspend" && FULFILLED.has(phase) && nodes[boundaryID]?.phase === "Running" && !children?.length,
  );
  const last = unseen
    // Whoever settles a node by hand may leave its end out.
    .map(({ finishedAt, startedAt }) => finishedAt || startedAt || "")
    .toSorted()
    .at(-1);
  return last ? new Date(last) : undefined;
}

function viewNode(node: Node): NodeView {
  const index = node.inputs?.parameters.find(({ name }) => name === INDEX_PARAMETER)?.value;
  const output = node.outputs?.parameters[0]?.value;
  return {
    id: node.id,
    step: node.templateName,
    ...(index === undefined ? {} : { index: Number(index) }),
    phase: node.phase as NodeView["phase"],
    startedAt: node.startedAt ?? "",
    ...(node.finishedAt ? { finishedAt: node.finishedAt } : {}),
    ...(node.message ? { message: node.message } : {}),
    ...(output === undefined ? {} : { output: String(output) }),
  };
}

/** What a running node is to become. */
export type Settlement = { readonly node: NodeView; readonly message?: string } & (
  | { readonly phase: "Succeeded"; readonly parameter: string; readonly value: string }
  | { readonly phase: "Failed"; readonly message: string }
);

/**
 * One conditional write for all of them. Each node is tested for being what was seen: the rest of the Workflow may change
 * meanwhile, as it does while the controller works on it. Compressed nodes are one value, and so tested as one.
 */
export function settlePatch(
  workflow: WorkflowView,
  settlements: readonly Settlement[],
  now: Date,
): JsonPatchOperation[] {
  const finishedAt = `${now.toISOString().slice(0, 19)}Z`;
  const { compressedNodes: compressed } = workflow;
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

function settled(settlement: Settlement, finishedAt: string): Record<string, unknown> {
  return {
    phase: settlement.phase,
    finishedAt,
    ...(settlement.message ? { message: settlement.message } : {}),
    ...(settlement.phase === "Succeeded"
      ? { outputs: { parameters: [{ name: settlement.parameter, value: settlement.value }] } }
      : {}),
  };
}

function decompress(nodes: string): unknown {
  return JSON.parse(gunzipSync(Buffer.from(nodes, "base64")).toString("utf8"));
}
