import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { type Decision, decisionSchema } from "../../pipeline/findings.ts";
import { usageSchema, workloadRefSchema } from "../step.ts";

const reviewSchema = z.strictObject({
  workload: workloadRefSchema,
  run: z.string(),
  /** Artifact key of the findings. */
  findings: z.string(),
  /** sha256 of the findings: what a decision is bound to. */
  digest: z.string(),
  costSoFar: usageSchema,
  /** US dollars that the report will cost at most. */
  costOfApproving: z.number(),
  openedAt: z.iso.datetime(),
  timeoutAt: z.iso.datetime(),
  onTimeout: z.enum(["Approve", "Reject"]),
});
export type OpenReview = z.infer<typeof reviewSchema>;
/** A review, and its decision once there is one. */
export type Review = OpenReview & {
  readonly decision?: Decision;
  /** Artifact keys of the report, by format, once it is written. */
  readonly report?: Readonly<Record<string, string>>;
};

export interface ReviewRef {
  readonly namespace: string;
  readonly name: string;
}

export type DecideOutcome =
  | { readonly outcome: "decided"; readonly decision: Decision }
  | { readonly outcome: "notFound" }
  /** The findings are others by now. */
  | { readonly outcome: "otherDigest"; readonly digest: string }
  /** The decision that stands. */
  | { readonly outcome: "alreadyDecided"; readonly decision: Decision };

/** Where reviews and their decisions are kept. A decision is durable before it is acknowledged, and there is one a review. */
export interface Reviews {
  read(ref: ReviewRef): Promise<Review | undefined>;
  decide(ref: ReviewRef, decision: Decision): Promise<DecideOutcome>;
}

export interface FolderReviews extends Reviews {
  /** Opens a review; the same findings again change nothing, other findings take its place. */
  open(review: OpenReview): Promise<void>;
}

/** One folder a workload; the decision's file carries the digest in its name and is made by link(2), which two cannot both do. */
export function createFolderReviews(folder: string): FolderReviews {
  const place = ({ namespace, name }: ReviewRef): string => join(folder, `${namespace}_${name}`);
  const decisionFile = (ref: ReviewRef, digest: string): string => join(place(ref), `decision-${digest}.json`);

  const read = async (ref: ReviewRef): Promise<Review | undefined> => {
    const text = await readIfThere(join(place(ref), "review.json"));
    if (text === undefined) return undefined;
    const review = reviewSchema.parse(JSON.parse(text));
    const decided = await readIfThere(decisionFile(ref, review.digest));
    return decided === undefined ? review : { ...review, decision: decisionSchema.parse(JSON.parse(decided)) };
  };

  return {
    async open(review) {
      const known = await read(review.workload);
      if (known?.digest === review.digest && known.run === review.run) return;
      await mkdir(place(review.workload), { recursive: true });
      const draft = await writeDurably(place(review.workload), JSON.stringify(reviewSchema.parse(review)));
      await rename(draft, join(place(review.workload), "review.json"));
    },
    read,
    async decide(ref, decision) {
      const review = await read(ref);
      if (!review) return { outcome: "notFound" };
      if (review.digest !== decision.digest) return { outcome: "otherDigest", digest: review.digest };
      if (review.decision) return { outcome: "alreadyDecided", decision: review.decision };
      const draft = await writeDurably(place(ref), JSON.stringify(decision));
      try {
        await link(draft, decisionFile(ref, decision.digest));
        return { outcome: "decided", decision };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
        const text = await readFile(decisionFile(ref, decision.digest), "utf8");
        return { outcome: "alreadyDecided", decision: decisionSchema.parse(JSON.parse(text)) };
      } finally {
        await rm(draft, { force: true });
      }
    },
  };
}

/** A file that is whole and on disk under a name of its own, ready to be renamed or linked. */
async function writeDurably(folder: string, text: string): Promise<string> {
  const path = join(folder, `draft-${randomUUID()}`);
  const file = await open(path, "wx");
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
