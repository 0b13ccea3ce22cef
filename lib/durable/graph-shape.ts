import type { RunnableConfig } from "@langchain/core/runnables";
import {
  BaseCheckpointSaver,
  type ChannelVersions,
  type Checkpoint,
  type CheckpointListOptions,
  type CheckpointMetadata,
  type CheckpointTuple,
  type PendingWrite,
} from "@langchain/langgraph-checkpoint";
import { canonicalJson, sha256 } from "../../engine/canonical.ts";
import type { StepGraph } from "./durable.ts";

/** What LangGraph's StateGraph keeps of its shape. */
interface Shaped {
  readonly nodes: object;
  readonly edges: ReadonlySet<readonly [string, string]>;
  readonly waitingEdges: ReadonlySet<readonly [readonly string[], string]>;
  readonly branches: Readonly<Record<string, Readonly<Record<string, { readonly ends?: unknown }>>>>;
}

/** Names the graph's nodes and how they follow one another. Undefined for a graph of another kind than StateGraph. */
export function shapeOf(graph: StepGraph): string | undefined {
  const { nodes, edges, waitingEdges, branches } = graph as StepGraph & Partial<Shaped>;
  if (!nodes || !edges || !waitingEdges || !branches) return undefined;
  const branchesOf = Object.entries(branches).map(([from, all]) => [
    from,
    Object.entries(all).map(([name, { ends = {} }]) => [name, ends]),
  ]);
  const parts = [Object.keys(nodes), [...edges], [...waitingEdges], branchesOf];
  return sha256(canonicalJson(parts.map((part) => part.map((one) => canonicalJson(one)).toSorted()))).slice(0, 16);
}

/**
 * A saver that goes on from checkpoints of one shape only. New code takes over the running steps of old code, and LangGraph goes on at
 * nodes by name: where the next one is gone, it ends without a result; where one was put before it, it leaves that out. A step whose
 * graph has another shape now begins anew.
 */
export class ShapedSaver extends BaseCheckpointSaver {
  readonly #saver: BaseCheckpointSaver;
  readonly #shape: string;

  constructor(saver: BaseCheckpointSaver, shape: string) {
    super(saver.serde);
    this.#saver = saver;
    this.#shape = shape;
  }

  override put(
    config: RunnableConfig,
    checkpoint: Checkpoint,
    metadata: CheckpointMetadata,
    newVersions: ChannelVersions,
  ): Promise<RunnableConfig> {
    return this.#saver.put(config, checkpoint, { ...metadata, shape: this.#shape } as CheckpointMetadata, newVersions);
  }

  override putWrites(config: RunnableConfig, writes: PendingWrite[], taskId: string, taskPath?: string): Promise<void> {
    return this.#saver.putWrites(config, writes, taskId, taskPath);
  }

  override async getTuple(config: RunnableConfig): Promise<CheckpointTuple | undefined> {
    const tuple = await this.#saver.getTuple(config);
    return tuple && this.#isOfShape(tuple) ? tuple : undefined;
  }

  override async *list(config: RunnableConfig, options?: CheckpointListOptions): AsyncGenerator<CheckpointTuple> {
    for await (const tuple of this.#saver.list(config, options)) if (this.#isOfShape(tuple)) yield tuple;
  }

  override deleteThread(threadId: string): Promise<void> {
    return this.#saver.deleteThread(threadId);
  }

  override getNextVersion(current: number | undefined): number {
    return this.#saver.getNextVersion(current);
  }

  #isOfShape({ metadata }: CheckpointTuple): boolean {
    return (metadata as { shape?: unknown } | undefined)?.shape === this.#shape;
  }
}
