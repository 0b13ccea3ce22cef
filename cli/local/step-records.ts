import type { ArtifactOwner } from "../../engine/artifact-key.ts";
import type { StepResult } from "../../engine/result.ts";
import type { ResultReader, ResultStore } from "../../lib/durable/results.ts";
import type { StepStore } from "../../lib/durable/step-store.ts";
import type { ArtifactReader } from "../../lib/edges/artifacts.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Journal, JournalEntry } from "./journal.ts";

/** What earlier commands recorded, and which of it counts. */
export interface RecordedSteps {
  /** Whose results these are. */
  readonly workload: ArtifactOwner;
  readonly journal: Pick<Journal, "find">;
  readonly results: ResultReader;
  readonly artifacts: ArtifactReader;
  /** A step that ended before is done again. */
  readonly reusableSince: Date;
  /** A failure from before is not tried again: a reviewer has seen it. Absent: every failure is. */
  readonly failuresStandUntil: Date | undefined;
}

export interface StepRecordsOptions extends RecordedSteps {
  readonly journal: Journal;
  readonly results: ResultStore;
  /** Forgets the progress of a step that is to be done again. */
  readonly store: Pick<StepStore, "forget">;
  readonly now: () => Date;
}

/** The ends of steps, over the commands that work on a run's folder. */
export interface StepRecords {
  /**
   * The result of a step that need not be done again, and whose bytes are all there. Any other is forgotten. `redoneSince`: one from
   * before is done again, however fresh it is.
   */
  find(identity: string, redoneSince?: Date): Promise<StepResult | undefined>;
  add(identity: string, result: StepResult, ms: number): Promise<void>;
}

export function createStepRecords(options: StepRecordsOptions): StepRecords {
  const { workload, journal, results, store, now } = options;
  return {
    async find(identity, redoneSince) {
      if (!journal.find(identity)) return undefined;
      const result = await findReusable(options, identity, redoneSince);
      if (!result) await store.forget([identity]);
      return result;
    },
    async add(identity, result, ms) {
      const digest = await results.put(workload, result);
      await journal.append({ identity, outcome: result.outcome, digest, at: now().toISOString(), ms });
    },
  };
}

/** As StepRecords.find, and changes nothing. */
export async function findReusable(
  recorded: RecordedSteps,
  identity: string,
  redoneSince?: Date,
): Promise<StepResult | undefined> {
  const { workload, journal, results, artifacts } = recorded;
  const entry = journal.find(identity);
  if (!entry) return undefined;
  const isAskedAnew = redoneSince !== undefined && Date.parse(entry.at) < redoneSince.getTime();
  if (isAskedAnew || !stands(entry, recorded)) return undefined;
  const result = await results.get(workload, entry.digest);
  const isWhole = result && (await missingOf(workload, Object.values(result.artifacts), artifacts)) === undefined;
  return isWhole ? result : undefined;
}

function stands({ outcome, at }: JournalEntry, { reusableSince, failuresStandUntil }: RecordedSteps): boolean {
  if (Date.parse(at) < reusableSince.getTime()) return false;
  return (
    outcome === "succeeded" || (failuresStandUntil !== undefined && Date.parse(at) <= failuresStandUntil.getTime())
  );
}

/** The first key whose bytes are gone or changed, or that is none of this workload. @throws RetryableError ArtifactStoreUnavailable */
export async function missingOf(
  workload: ArtifactOwner,
  keys: readonly string[],
  artifacts: ArtifactReader,
): Promise<string | undefined> {
  for (const key of keys) {
    try {
      await artifacts.get(workload, key);
    } catch (error) {
      if (error instanceof TerminalError) return key;
      throw error;
    }
  }
  return undefined;
}
