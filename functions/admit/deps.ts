import type { Kube } from "../../lib/edges/kube.ts";
import type { Logger } from "../../lib/log.ts";

export interface JudgeDeps {
  readonly kube: Pick<Kube, "pipelines" | "agents" | "isNamespace">;
  /** The pipeline of workloads that name none. */
  readonly defaultPipeline?: string;
  readonly now: () => Date;
}

export interface AdmitDeps extends JudgeDeps {
  readonly log: Logger;
  readonly draining: AbortSignal;
}
