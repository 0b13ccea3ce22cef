import { agentWorkloadSchema, type WorkloadStatus } from "../../crd/agentworkload.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";

/** What the pages show of an AgentWorkload. Its spec, which may be large, is not kept. */
export interface SeenRun {
  readonly metadata: {
    readonly namespace: string;
    readonly name: string;
    readonly uid: string;
    readonly generation: number | undefined;
    readonly createdAt: string;
  };
  readonly status: WorkloadStatus;
  /** Whether the status is written as this version does not know it, so that nothing of it is shown. */
  readonly unreadable: boolean;
}

const statusSchema = agentWorkloadSchema.shape.status.unwrap().strip();

export function readRun({ metadata, status = {} }: KubeObject): SeenRun {
  const { namespace, name, uid, generation, creationTimestamp: createdAt } = metadata;
  const read = statusSchema.safeParse(status);
  const { earlierReviews: _, ...kept } = read.data ?? {};
  return { metadata: { namespace, name, uid, generation, createdAt }, status: kept, unreadable: !read.success };
}

export function keyOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
