import { constants, copyFile, mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { Comparison } from "../../crd/agentworkload.ts";
import { artifactScope } from "../../engine/artifact-key.ts";
import { chosenFor, isChosenFor, wantedComparison } from "../../engine/comparison.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import { compareFolder, type RunFolder, type RunState, readRunState } from "../run-folder.ts";
import type { Beginning } from "./earlier-run.ts";

/** `from`: the folder that has that run's artifacts. Absent: the run's own. */
export interface ChosenComparison {
  readonly comparison?: Comparison;
  readonly from?: RunFolder;
}

/**
 * The run that a local run is compared with: as in a cluster (engine/comparison.ts), and the last one of its own folder that succeeded once
 * that is older than spec.freshness, for then all of it is done again. Changes nothing.
 */
export async function chooseComparison(
  { workload: { spec }, run: { workload: own } }: ResolvedWorkload,
  folder: RunFolder,
  state: RunState | undefined,
  beginning: Exclude<Beginning, { readonly done: unknown }>,
): Promise<ChosenComparison> {
  const known = state?.comparedWith;
  const last = state?.lastSucceeded;
  const kept: ChosenComparison = known ? { comparison: known } : {};
  if (beginning.isContinued) return kept;
  const isNewLook = last !== undefined && Date.parse(last.finishedAt) <= beginning.reusableSince.getTime();
  if (known && isChosenFor(spec, known) && !isNewLook) return kept;
  const name = wantedComparison(spec, own.name) ?? (isNewLook ? own.name : undefined);
  if (name === undefined) return {};
  const from = name === own.name ? folder : compareFolder(name);
  const chosen = chosenFor(spec);
  if (from.path === folder.path) {
    const comparison = { workload: own.name, uid: own.uid, ...chosen };
    if (last) return { comparison: { ...comparison, results: last.results } };
    return { comparison: { ...comparison, problem: "no run of this folder has succeeded" } };
  }
  const { state: other, problem } = await readRunState(from);
  const nothing = (why: string): ChosenComparison => ({ comparison: { workload: name, ...chosen, problem: why } });
  if (!other) return nothing(problem ?? `there is no run in ${from.path}`);
  const { workload, lastSucceeded } = other;
  // As in a cluster: a workload is compared with one of its own namespace.
  if (workload.namespace !== own.namespace)
    return nothing(`the run in ${from.path} is of namespace ${workload.namespace}, and this one of ${own.namespace}`);
  if (!lastSucceeded) return nothing(`no run in ${from.path} has succeeded`);
  const { name: as, uid } = workload;
  return { comparison: { workload: as, uid, ...chosen, results: lastSucceeded.results }, from };
}

/** Agents read the other run's artifacts where they read this one's. Those that are gone are lost, as in a cluster. */
export async function copyArtifacts(
  { comparison, from }: ChosenComparison,
  to: RunFolder,
  namespace: string,
): Promise<void> {
  const scope = artifactScope({ namespace, uid: comparison?.uid ?? "" });
  if (!from || scope === undefined) return;
  const [source, target] = [join(from.artifacts, scope), join(to.artifacts, scope)];
  await mkdir(target, { recursive: true });
  // Those that are being written have other names.
  for (const name of await namesIn(source))
    if (/^[0-9a-f]{64}\.[a-z]+$/.test(name))
      await copyFile(join(source, name), join(target, name), constants.COPYFILE_FICLONE);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
