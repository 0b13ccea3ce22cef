import { rename, rm } from "node:fs/promises";
import { parseDuration } from "../../crd/duration.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import { type RunFolder, type RunState, readRunState } from "../run-folder.ts";

/** What a command finds in the run's folder. */
export type Beginning =
  /** The same run succeeded a short while ago: there is nothing to do. */
  | { readonly done: RunState }
  | {
      readonly startedAt: Date;
      /** Steps that succeeded since then are reused. */
      readonly reusableSince: Date;
      /** An earlier command worked on this very run: its reviews stand. */
      readonly isContinued: boolean;
    };

/** How a command begins, and what of an earlier run it takes away before: all, or the reviews. */
export interface PlannedBeginning {
  readonly beginning: Beginning;
  readonly without?: "all" | "reviews";
}

/** Decides how a command begins, given what earlier ones left. */
export function planBeginning(
  { workload: { spec }, run }: ResolvedWorkload,
  frozen: string,
  state: RunState | undefined,
  now: Date,
): PlannedBeginning {
  const freshSince = new Date(now.getTime() - parseDuration(spec.freshness));
  const fromStart = { startedAt: now, reusableSince: freshSince, isContinued: false };
  if (!state) return { beginning: fromStart };
  const finishedAt = state.finishedAt === undefined ? undefined : new Date(state.finishedAt);
  if (finishedAt && finishedAt.getTime() + parseDuration(spec.ttlAfterFinished) < now.getTime())
    return { beginning: fromStart, without: "all" };
  const isSame = state.run === run.run && state.frozen === frozen;
  if (!isSame) return { beginning: fromStart };
  if (state.phase !== "Succeeded") {
    // However long it was interrupted, what the run did before counts.
    const startedAt = new Date(state.startedAt);
    const reusableSince = startedAt < freshSince ? startedAt : freshSince;
    return { beginning: { startedAt, reusableSince, isContinued: true } };
  }
  if (finishedAt && finishedAt > freshSince) return { beginning: { done: state } };
  // Its findings may be the same as before; they are decided on again.
  return { beginning: fromStart, without: "reviews" };
}

/** Begins as planned. Removes a finished run that is older than spec.ttlAfterFinished. */
export async function beginRun(
  resolved: ResolvedWorkload,
  frozen: string,
  folder: RunFolder,
  { now, say }: { readonly now: Date; readonly say: (line: string) => void },
): Promise<Beginning> {
  const { spec } = resolved.workload;
  const { state, problem } = await readRunState(folder);
  if (problem) say(`${problem}; the run continues from what its steps recorded.`);
  const { beginning, without } = planBeginning(resolved, frozen, state, now);
  if ("done" in beginning)
    say(
      `Already done at ${beginning.done.finishedAt}: nothing to repeat. A changed workload, pipeline or agent is a new run; so is this one once it is older than spec.freshness (${spec.freshness}). Remove ${folder.path} to do all of it again now.`,
    );
  if (state && without === "all") {
    say(`The run of ${state.finishedAt} is older than spec.ttlAfterFinished (${spec.ttlAfterFinished}): removed.`);
    const parts = [
      folder.state,
      folder.artifacts,
      folder.journal,
      folder.reviews,
      folder.redis,
      folder.outputs,
      folder.evidence,
      folder.evaluation,
    ];
    const files = Object.values(state.outputs ?? {});
    await Promise.all([...parts, ...files].map((path) => rm(path, { recursive: true, force: true })));
  }
  if (state && without === "reviews")
    await rename(folder.reviews, `${folder.reviews}-${state.finishedAt ?? state.startedAt}`).catch(ignoreMissing);
  return beginning;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
