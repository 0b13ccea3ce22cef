import type { AgentWorkload, WorkloadStatus } from "../../crd/agentworkload.ts";
import { inputList, type Run } from "../../engine/run.ts";
import { type FailedItem, failureTexts, itemsText, notReady, reviewText, stepText } from "../../engine/status-text.ts";
import type { NodeView } from "../../functions/reconcile/run-engine.ts";

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
      below: failureTexts(failed.filter((one) => one.step === step.name)),
    };
  });
  const problem = notReady(status);
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

function headline(status: WorkloadStatus): string {
  const { phase = "Pending", pipeline, usage, startedAt, finishedAt, traceUrl } = status;
  const items = itemsText(status);
  return [
    phase,
    ...(pipeline ? [pipeline] : []),
    ...(items ? [items] : []),
    ...(usage ? [`$${usage.costUsd}`] : []),
    ...(startedAt ? [`started ${startedAt}`] : []),
    ...(finishedAt ? [`finished ${finishedAt}`] : []),
    ...(traceUrl ? [traceUrl] : []),
  ].join("  ");
}
