import { link, readdir, readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { decisionSchema } from "../../../engine/findings.ts";
import { TerminalError } from "../../errors.ts";
import { makeFolder, replaceFile, syncFolder, writeDraft } from "../durable-files.ts";
import { type DecideOutcome, type ReviewRecord, type ReviewRef, type Reviews, reviewRecordSchema } from "../reviews.ts";

export interface FolderReviews extends Reviews {
  /**
   * Opens a review, or the same findings once more: then the review stays as it was opened, and the usage and outputs are updated.
   * Other findings replace the gate's review, undecided.
   */
  open(record: ReviewRecord): Promise<void>;
}

/** A name of Kubernetes: no path can be built with it. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const RECORD_FILE = /^([-a-z0-9]+)\.json$/;

/**
 * Reviews of one machine: a folder for each workload, in it a file for each gate, and one for each decision. A decision's name
 * contains the digest, and link(2) creates it, which fails when the file exists: of two decisions only one can stand.
 */
export function createFolderReviews(folder: string): FolderReviews {
  const root = resolve(folder);
  const folderOf = ({ namespace, name }: ReviewRef): string =>
    join(root, `${checkedName(namespace)}_${checkedName(name)}`);
  const recordFile = (ref: ReviewRef, gate: string): string => join(folderOf(ref), `${checkedName(gate)}.json`);
  const decisionFile = (ref: ReviewRef, { gate, digest }: { gate: string; digest: string }): string =>
    join(folderOf(ref), `${checkedName(gate)}.${digest}.decision.json`);

  const read = async (ref: ReviewRef, gate: string): Promise<ReviewRecord | undefined> => {
    const text = await readIfThere(recordFile(ref, gate));
    if (text === undefined) return undefined;
    const record = reviewRecordSchema.parse(JSON.parse(text));
    const decided = await readIfThere(decisionFile(ref, record.review));
    if (decided === undefined) return record;
    return { ...record, review: { ...record.review, ...decisionSchema.parse(JSON.parse(decided)) } };
  };

  return {
    read,
    async list(ref) {
      const files = await readdir(folderOf(ref)).catch(undefinedIfMissing);
      const gates = (files ?? []).flatMap((file) => RECORD_FILE.exec(file)?.[1] ?? []);
      const records = await Promise.all(gates.map((gate) => read(ref, gate)));
      return records
        .filter((record) => record !== undefined)
        .toSorted((a, b) => Date.parse(a.review.openedAt) - Date.parse(b.review.openedAt));
    },
    async open(record) {
      const { workload, review } = record;
      const file = recordFile(workload, review.gate);
      const known = await readIfThere(file);
      const opened = known === undefined ? undefined : reviewRecordSchema.parse(JSON.parse(known)).review;
      const same = opened?.digest === review.digest && opened.run === review.run;
      const updated = reviewRecordSchema.parse({ ...record, review: same ? opened : review });
      await makeFolder(folderOf(workload));
      await replaceFile(file, JSON.stringify(updated));
    },
    async decide(ref, decision): Promise<DecideOutcome> {
      const record = await read(ref, decision.gate);
      if (!record) return { outcome: "notFound" };
      if (record.review.digest !== decision.digest) return { outcome: "otherDigest", digest: record.review.digest };
      const file = decisionFile(ref, decision);
      const draft = await writeDraft(folderOf(ref), JSON.stringify(decisionSchema.parse(decision)));
      try {
        await link(draft, file);
        return { outcome: "decided", decision };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        return { outcome: "alreadyDecided", decision: decisionSchema.parse(JSON.parse(await readFile(file, "utf8"))) };
      } finally {
        await rm(draft, { force: true });
        // Whoever made the decision, it is on disk before this caller hears of it.
        await syncFolder(folderOf(ref));
      }
    },
  };
}

/** @throws TerminalError InvalidName */
function checkedName(name: string): string {
  if (!NAME.test(name)) throw new TerminalError("InvalidName", `${JSON.stringify(name)} is not a name of Kubernetes`);
  return name;
}

function readIfThere(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(undefinedIfMissing);
}

function undefinedIfMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
}
