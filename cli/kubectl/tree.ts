import type { AgentWorkload, Review, WorkloadStatus } from "../../crd/agentworkload.ts";
import { inputList, type Run } from "../../engine/run.ts";
import type { NodeView } from "../../functions/reconcile/run-engine.ts";

/** What ends badly at a step: an item of a fan-out, or the step itself. */
export interface FailedItem {
  readonly step: string;
  /** Absent: not one of a fan-out. */
  readonly item?: string;
  readonly why: string;
}

/** A run's failures that its DAG knows, by step and item: the engine keeps its nodes in no order. */
export function failedItems(run: Run, nodes: readonly NodeView[]): FailedItem[] {
  const failed = nodes.filter(({ role, phase }) => role === "step" && (phase === "Failed" || phase === "Error"));
  return run.stages.flatMap((stage) =>
    stage.steps.flatMap(({ name: step }) =>
      failed
        .filter((node) => node.step === step)
        .sort((one, other) => (one.index ?? 0) - (other.index ?? 0))
        .map(({ index, phase, message }) => {
          const item = index === undefined ? undefined : nameOf(inputList(run, stage)?.[index], index);
          return { step, ...(item === undefined ? {} : { item }), why: message ?? phase };
        }),
    ),
  );
}

/** How a person knows an item: its text, or its URL; of a list that a step returned, its number. */
function nameOf(item: unknown, index: number): string {
  if (typeof item === "string") return item;
  const url = typeof item === "object" && item !== null && "url" in item ? item.url : undefined;
  return typeof url === "string" ? url : `item ${index}`;
}

/** More failures of one step than this are counted. */
const MAX_FAILURES = 10;

/** A run as a tree of its steps: how far each is, what failed and why, what it cost. Ends with a line break. */
export function runTree(
  { metadata, status = {} }: Pick<AgentWorkload, "metadata" | "status">,
  failed: readonly FailedItem[],
): string {
  const { steps = [], reviews = [], outputs = {} } = status;
  const width = Math.max(0, ...steps.map(({ name }) => name.length));
  const branches = steps.map((step) => {
    const review = reviews.find(({ gate }) => gate === step.name);
    const cost = Number(step.costUsd) > 0 ? `  $${step.costUsd}` : "";
    return {
      line: `${step.name.padEnd(width)}  ${review ? reviewText(review) : stepText(step)}${cost}`,
      below: failuresOf(failed.filter((one) => one.step === step.name)),
    };
  });
  const problem = status.conditions?.find(({ type, status: is }) => type === "Ready" && is !== "True");
  return [
    `${metadata.namespace}/${metadata.name}  ${headline(status)}`,
    ...branches.flatMap(({ line, below }, index) => {
      const isLast = index === branches.length - 1;
      return [`${isLast ? "└─" : "├─"} ${line}`, ...below.map((text) => `${isLast ? "  " : "│ "}    ${text}`)];
    }),
    ...(problem ? [`${problem.reason}: ${problem.message}`] : []),
    ...Object.entries(outputs).map(([name, key]) => `output ${name}: ${key}`),
    "",
  ].join("\n");
}

function headline({ phase = "Pending", pipeline, items, usage, startedAt, finishedAt }: WorkloadStatus): string {
  return [
    phase,
    ...(pipeline ? [pipeline] : []),
    ...(items && items.total > 0
      ? [`${items.done}/${items.total} items${items.failed ? `, ${items.failed} failed` : ""}`]
      : []),
    ...(usage ? [`$${usage.costUsd}`] : []),
    ...(startedAt ? [`started ${startedAt}`] : []),
    ...(finishedAt ? [`finished ${finishedAt}`] : []),
  ].join("  ");
}

function stepText({
  total,
  running,
  succeeded,
  failed,
  skipped,
}: NonNullable<WorkloadStatus["steps"]>[number]): string {
  if (total === 0) return "waits";
  const others = Object.entries({ running, failed, skipped }).filter(([, count]) => count > 0);
  if (total === 1) return succeeded === 1 ? "succeeded" : (others[0]?.[0] ?? "waits");
  return [`${succeeded}/${total} succeeded`, ...others.map(([what, count]) => `${count} ${what}`)].join(", ");
}

function reviewText({ decision, by, at, automatic, comment, timeoutAt, onTimeout, costOfApproving }: Review): string {
  if (decision)
    return `${decision} by ${by}${automatic ? " (automatic)" : ""} at ${at}${comment ? `: ${comment}` : ""}`;
  const cost = costOfApproving === undefined ? "" : `; approving costs at most $${costOfApproving}`;
  return `waits for a decision until ${timeoutAt}, then: ${onTimeout}${cost}`;
}

function failuresOf(failed: readonly FailedItem[]): string[] {
  const shown = failed.slice(0, MAX_FAILURES).map(({ item, why }) => (item === undefined ? why : `${item}: ${why}`));
  return failed.length > MAX_FAILURES ? [...shown, `and ${failed.length - MAX_FAILURES} more`] : shown;
}
