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

/** Decides how a command begins, given what earlier ones left. Removes a finished run that is older than spec.ttlAfterFinished. */
export async function beginRun(
  { workload: { spec }, run }: ResolvedWorkload,
  frozen: string,
  folder: RunFolder,
  { now, say }: { readonly now: Date; readonly say: (line: string) => void },
): Promise<Beginning> {
  const freshSince = new Date(now.getTime() - parseDuration(spec.freshness));
  const fromStart = { startedAt: now, reusableSince: freshSince, isContinued: false };
  const { state, problem } = await readRunState(folder);
  if (problem) say(`${problem}; the run continues from what its steps recorded.`);
  if (!state) return fromStart;
  const finishedAt = state.finishedAt === undefined ? undefined : new Date(state.finishedAt);
  if (finishedAt && finishedAt.getTime() + parseDuration(spec.ttlAfterFinished) < now.getTime()) {
    say(`The run of ${state.finishedAt} is older than spec.ttlAfterFinished (${spec.ttlAfterFinished}): removed.`);
    const parts = [
      folder.state,
      folder.artifacts,
      folder.journal,
      folder.reviews,
      folder.redis,
      folder.outputs,
      folder.evidence,
    ];
    const files = Object.values(state.outputs ?? {});
    await Promise.all([...parts, ...files].map((path) => rm(path, { recursive: true, force: true })));
    return fromStart;
  }
  const isSame = state.run === run.run && state.frozen === frozen;
  if (!isSame) return fromStart;
  if (state.phase !== "Succeeded") {
    // However long it was interrupted, what the run did before counts.
    const startedAt = new Date(state.startedAt);
    return { startedAt, reusableSince: startedAt < freshSince ? startedAt : freshSince, isContinued: true };
  }
  if (finishedAt && finishedAt > freshSince) {
    say(
      `Already done at ${state.finishedAt}: nothing to repeat. A changed workload, pipeline or agent is a new run; so is this one once it is older than spec.freshness (${spec.freshness}). Remove ${folder.path} to do all of it again now.`,
    );
    return { done: state };
  }
  // Its findings may be the same as before; they are decided on again.
  await rename(folder.reviews, `${folder.reviews}-${state.finishedAt ?? state.startedAt}`).catch(ignoreMissing);
  return fromStart;
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
