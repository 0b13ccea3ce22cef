import type { Decision } from "../../engine/findings.ts";
import { usageOf } from "../../engine/outcomes.ts";
import type { Run } from "../../engine/run.ts";
import { type GatePeriod, recordRun, type StepPeriod } from "../../lib/telemetry/run-spans.ts";
import type { EndedRun, RunEvent } from "./runner.ts";

/** Notes when the steps of a run start and end, for its trace. */
export interface RunTrace {
  on(event: RunEvent): void;
  /** Tells the trace. */
  end(run: Run, ended: EndedRun, decisions: readonly Decision[]): void;
}

/** `seed`: engine/trace.ts */
export function createRunTrace(seed: string, now: () => Date): RunTrace {
  const startedAt = now();
  const started = new Map<string, Date>();
  const steps: StepPeriod[] = [];
  const gates: Omit<GatePeriod, "decision">[] = [];
  const keyOf = ({ instance: { step, index } }: RunEvent): string => `${step.name} ${index ?? ""}`;
  return {
    on(event) {
      if (event.type === "started") {
        started.set(keyOf(event), now());
        return;
      }
      const { step, index, item } = event.instance;
      const finishedAt = now();
      const period = { startedAt: started.get(keyOf(event)) ?? finishedAt, finishedAt };
      if (step.gate) gates.push({ ...period, gate: step.name });
      else steps.push({ ...period, step: step.name, index, item, outcome: event.outcome });
    },
    end(run, { end, outcomes }, decisions) {
      recordRun({
        run,
        seed,
        phase: end.phase,
        outcomes,
        problem: end.phase === "Succeeded" ? undefined : end,
        costUsd: usageOf(outcomes).costUsd,
        startedAt,
        finishedAt: now(),
        steps,
        gates: gates.map((gate) => ({ ...gate, decision: decisions.find((one) => one.gate === gate.gate) })),
      });
    },
  };
}
