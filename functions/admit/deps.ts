import type { Kube } from "../../lib/edges/kube.ts";
import type { Logger } from "../../lib/log.ts";
import type { Quotas } from "../../lib/quota/quotas.ts";

export interface JudgeDeps {
  readonly kube: Pick<Kube, "pipelines" | "agents" | "isNamespace">;
  /** The pipeline of workloads that name none. */
  readonly defaultPipeline?: string;
  readonly quotas: Pick<Quotas, "read">;
  readonly now: () => Date;
}

export interface AdmitDeps extends JudgeDeps {
  readonly log: Logger;
  readonly draining: AbortSignal;
}
