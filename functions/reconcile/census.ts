import { PHASES, type WorkloadStatus } from "../../crd/agentworkload.ts";
import type { KubeObject } from "../../lib/edges/kube.ts";
import { METRIC } from "../../lib/telemetry/metrics.ts";

type Phase = (typeof PHASES)[number];

const ENDED: readonly Phase[] = ["Succeeded", "Rejected", "Failed"];
const ACTIVE = PHASES.filter((phase) => !ENDED.includes(phase));

/** It is not there, or not known yet. */
const NO_PIPELINE = "none";

interface Runs {
  readonly namespace: string;
  readonly pipeline: string;
  readonly byPhase: Map<Phase, number>;
  /** Of the review that has been open longest, in ms. */
  waitedMs: number;
}

/** Counts the runs that have not ended, as their statuses have them. */
export function createCensus(now: Date) {
  const all = new Map<string, Runs>();
  return {
    take({ metadata: { namespace }, status }: KubeObject): void {
      const { phase, pipeline = NO_PIPELINE, reviews = [] } = (status ?? {}) as Partial<WorkloadStatus>;
      // Reconcile has not looked at it yet.
      if (phase === undefined) return;
      const key = `${namespace} ${pipeline}`;
      const runs = all.get(key) ?? { namespace, pipeline, byPhase: new Map(), waitedMs: 0 };
      all.set(key, runs);
      runs.byPhase.set(phase, (runs.byPhase.get(phase) ?? 0) + 1);
      if (ENDED.includes(phase)) return;
      for (const { decision, openedAt } of reviews)
        if (decision === undefined) runs.waitedMs = Math.max(runs.waitedMs, now.getTime() - Date.parse(openedAt));
    },

    /** Once all are counted. Zeros too: what was there before is not there any more. */
    record(): void {
      for (const { namespace, pipeline, byPhase, waitedMs } of all.values()) {
        for (const phase of ACTIVE) METRIC.activeRuns.record(byPhase.get(phase) ?? 0, { namespace, pipeline, phase });
        METRIC.gateWaiting.record(waitedMs / 1000, { namespace, pipeline });
      }
    },
  };
}
