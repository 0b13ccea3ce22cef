import type { StepOutcome } from "../../../engine/outcomes.ts";
import type { PipelineStep } from "../../../engine/pipeline.ts";
import type { Item, StepInput } from "../../../engine/result.ts";
import type { StepState } from "../../../lib/durable/requests.ts";
import type { HostAccess } from "../../../lib/host-access.ts";
import type { NodeView } from "../run-engine.ts";

/** A step of this run whose node is there, and that an agent does. */
export interface StepView {
  readonly step: PipelineStep;
  readonly index?: number;
  readonly item?: Item;
  readonly node: NodeView;
  /** How it ended; absent: it is still to be done. */
  readonly outcome?: StepOutcome;
  /** Digest of its result in the object store, where it has one that is not settled yet. */
  readonly digest?: string;
  /** What is to be done; absent once it has ended, and while a step before it is being done again. */
  readonly work?: StepWork;
}

export interface StepWork {
  readonly input: StepInput;
  readonly identity: string;
  /** This start of this node in this run object, after the loss of this result: what a failure and a deadline belong to. */
  readonly attempt: string;
  readonly state: StepState;
  /** What it shows to single hosts. For its request, and for nothing that is written. */
  readonly hostAccess?: HostAccess;
}

/** A request is on its way, or an instance works on it. */
export function isUnderWay({ work }: StepView): boolean {
  return work !== undefined && (work.state.requested || work.state.held);
}
