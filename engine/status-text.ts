import type { AgentWorkload, Review, WorkloadStatus } from "../crd/agentworkload.ts";
import { remarksText } from "./correction-text.ts";

// How far a run is, as its status says it, for people.

type Seen = {
  readonly metadata: Pick<AgentWorkload["metadata"], "generation">;
  readonly status?: WorkloadStatus | undefined;
};

/** What ends badly at a step: an item of a fan-out, or the step itself. */
export interface FailedItem {
  readonly step: string;
  /** Absent: not one of a fan-out. */
  readonly item?: string;
  readonly why: string;
}

/** Nothing of it goes on. An edit that reconcile has not looked at yet may start it again. */
export function hasEnded({ metadata, status }: Seen): boolean {
  const seen = status?.conditions?.find(({ type }) => type === "Ready")?.observedGeneration;
  return status?.finishedAt !== undefined && seen === metadata.generation;
}

/** Those that a person may decide. The gates of a run that has ended wait for nobody. */
export function waitingReviews({ status }: Pick<Seen, "status">): readonly Review[] {
  if (status?.finishedAt !== undefined) return [];
  return (status?.reviews ?? []).filter(({ decision }) => decision === undefined);
}

/** Why a run is not ready: its failure, what it waits for, or that it goes on. */
export function notReady({ conditions = [] }: WorkloadStatus): { reason: string; message: string } | undefined {
  return conditions.find(({ type, status }) => type === "Ready" && status !== "True");
}

/** The same, where it is more than that the run goes on or waits for a decision. */
export function troubleOf(status: WorkloadStatus): { reason: string; message: string } | undefined {
  const problem = notReady(status);
  return problem && !["Progressing", "AwaitingReview"].includes(problem.reason) ? problem : undefined;
}

export function itemsText({ items }: WorkloadStatus): string | undefined {
  if (!items || items.total === 0) return undefined;
  return `${items.done}/${items.total} items${items.failed ? `, ${items.failed} failed` : ""}`;
}

export function stepText({
  total,
  running,
  succeeded,
  failed,
  skipped,
  leftOut = 0,
}: NonNullable<WorkloadStatus["steps"]>[number]): string {
  if (total === 0) return leftOut === 0 ? "waits" : `${leftOut} left out`;
  const others = Object.entries({ running, failed, skipped, "left out": leftOut }).filter(([, count]) => count > 0);
  if (total === 1 && leftOut === 0) return succeeded === 1 ? "succeeded" : (others[0]?.[0] ?? "waits");
  return [`${succeeded}/${total} succeeded`, ...others.map(([what, count]) => `${count} ${what}`)].join(", ");
}

export function reviewText({
  decision,
  by,
  at,
  automatic,
  comment,
  corrections,
  timeoutAt,
  onTimeout,
  costOfApproving,
}: Review): string {
  if (decision)
    return `${decision} by ${by}${automatic ? " (automatic)" : ""} at ${at}${remarksText({ comment, corrections })}`;
  const cost = costOfApproving === undefined ? "" : `; approving costs at most $${costOfApproving}`;
  return `waits for a decision until ${timeoutAt}, then: ${onTimeout}${cost}`;
}

/** More failures of one step than this are counted. */
const MAX_FAILURES = 10;

export function failureTexts(failed: readonly FailedItem[]): string[] {
  const shown = failed.slice(0, MAX_FAILURES).map(({ item, why }) => (item === undefined ? why : `${item}: ${why}`));
  return failed.length > MAX_FAILURES ? [...shown, `and ${failed.length - MAX_FAILURES} more`] : shown;
}
