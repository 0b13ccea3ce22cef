import type { Comparison, WorkloadSpec } from "../../crd/agentworkload.ts";
import type { FrozenPipeline } from "../../engine/pipeline.ts";
import type { Run } from "../../engine/run.ts";
import type { JsonPatchOperation, KubeObject } from "../../lib/edges/kube.ts";

/** What a node of a run stands for. list: says how many items a fan-out over returned items has. end: the run's last, which ends it. */
export type NodeRole = "step" | "gate" | "list" | "end";

/** A node of a run that waits for reconcile, or that has been settled. */
export interface NodeView {
  readonly id: string;
  readonly role: NodeRole;
  /** The step's name; of a list its stage's; empty for the end. */
  readonly step: string;
  /** In a fan-out: which item. */
  readonly index?: number;
  readonly phase: "Running" | "Succeeded" | "Failed" | "Error" | "Skipped" | "Omitted" | "Pending";
  /** As the engine writes it: another attempt has another start. */
  readonly startedAt: string;
  readonly finishedAt?: string;
  readonly message?: string;
  /** What it was settled with. */
  readonly output?: string;
}

/** A run as the engine that executes its DAG keeps it. */
export interface RunView {
  readonly name: string;
  readonly uid: string;
  readonly createdAt: Date;
  readonly deleted: boolean;
  /** Empty until the engine has seen it. */
  readonly phase: "" | "Pending" | "Running" | "Succeeded" | "Failed" | "Error";
  readonly message: string;
  readonly finishedAt?: string;
  /** Somebody suspended it in the engine. */
  readonly suspended: boolean;
  /** Somebody, or reconcile, stopped it. */
  readonly shutdown: boolean;
  /** Reconcile stopped it, for the spec asked for another run: it is no end of this one. */
  readonly superseded: boolean;
  /** As it was frozen when the run began; absent: somebody took it away, or changed it. */
  readonly pipeline?: FrozenPipeline;
  /** The run that it is compared with, as it was chosen when it began. */
  readonly comparison?: Comparison;
  /** sha256 of the spec's canonical JSON that the run was last brought in line with. */
  readonly acceptedSpec?: string;
  /** engine/run.ts termsOf of that spec. */
  readonly acceptedTerms?: string;
  readonly nodes: readonly NodeView[];
  /** When the last node was settled that the engine has not yet gone on from. */
  readonly settledUnseenAt?: Date;
  /** When the engine was last told to look. */
  readonly nudgedAt?: Date;
  readonly object: KubeObject;
}

/** What a running node becomes. A failed one has a message. */
export interface Settlement {
  readonly node: NodeView;
  readonly phase: "Succeeded" | "Failed";
  /** What is read back from it: see workload/node-output.ts. */
  readonly output: string;
  readonly message?: string;
}

/** What executes a run's DAG: it starts nodes when their turn comes, and goes on when they are settled. */
export interface RunEngine {
  /** One run of a workload is one object; the same run has the same name. */
  nameOf(run: Pick<Run, "workload" | "run">): string;
  /** The workload's name in a run object's. */
  workloadOf(name: string): string | undefined;
  /** Label of the run objects of a workload; its value is the workload's name. */
  readonly workloadLabel: string;
  render(run: Run, spec: WorkloadSpec): object;
  /** A merge patch that brings a run object in line with other terms of the same run. */
  update(run: Run, spec: WorkloadSpec): object;
  /** @throws ZodError where the object is none of the engine's form */
  view(object: KubeObject): RunView;
  /** One conditional write: each node is tested for being what was seen. */
  settle(view: RunView, settlements: readonly Settlement[], now: Date): JsonPatchOperation[];
  /** A merge patch that ends it as superseded. */
  readonly supersede: object;
  /** A merge patch that changes nothing but makes the engine look. */
  nudge(now: Date): object;
}

export function hasEnded({ phase }: RunView): boolean {
  return phase === "Succeeded" || phase === "Failed" || phase === "Error";
}

/** The run of the last spec that was accepted, where no run tells more. */
export function latestRun(runs: readonly RunView[]): RunView | undefined {
  return runs
    .filter(({ superseded }) => !superseded)
    .toSorted((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
    .at(-1);
}

/** The engine ended the run, or is about to, before reconcile settled its end: nodes that it failed say nothing of their steps. */
export function isCutShort(view: RunView): boolean {
  const isSettled = view.nodes.some(({ role, output }) => role === "end" && output !== undefined);
  return (hasEnded(view) || view.shutdown) && !isSettled;
}
