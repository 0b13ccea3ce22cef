import { EXIT } from "../exit-code.ts";
import { program } from "../invocation.ts";
import { dollars } from "../progress.ts";
import { defaultFolder, type RunState, readRunState, runFolder } from "../run-folder.ts";

export interface StatusOptions {
  readonly out?: string;
  readonly output: "text" | "json";
}

/** `agentic status NAME`: how far a run is. */
export async function status(name: string, options: StatusOptions): Promise<number> {
  const folder = runFolder(options.out ?? defaultFolder(name));
  const { state, problem } = await readRunState(folder);
  if (!state) {
    const remedy = problem ? "run the workload again, which writes it anew" : `start a run with: ${program()} run FILE`;
    process.stderr.write(`${problem ?? `there is no run in ${folder.path}`}; ${remedy}\n`);
    return EXIT.failed;
  }
  const seen = { ...state, phase: phaseNow(state) };
  process.stdout.write(options.output === "json" ? `${JSON.stringify(seen, null, 2)}\n` : describe(seen));
  return EXIT.succeeded;
}

/** A killed command could not write that it ended. */
function phaseNow(state: RunState): RunState["phase"] {
  if (state.phase !== "Running" && state.phase !== "AwaitingReview") return state.phase;
  try {
    process.kill(state.pid, 0);
    return state.phase;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM" ? state.phase : "Interrupted";
  }
}

function describe(state: RunState): string {
  const { items, usage, comparedWith } = state;
  const rows: [string, string][] = [
    ["Workload", `${state.workload.namespace}/${state.workload.name}`],
    ["Pipeline", state.pipeline],
    ["Phase", state.reason && state.reason !== state.phase ? `${state.phase} (${state.reason})` : state.phase],
  ];
  if (comparedWith)
    rows.push([
      "Compared",
      comparedWith.problem ? `with none: ${comparedWith.problem}` : `with the last run of ${comparedWith.workload}`,
    ]);
  if (items.total > 0) rows.push(["Items", `${items.done}/${items.total} done, ${items.failed} failed`]);
  for (const step of state.steps) rows.push([`Step ${step.name}`, describeStep(step)]);
  rows.push(["Cost", `${dollars(usage.costUsd)}, ${usage.inputTokens + usage.outputTokens} tokens`]);
  rows.push(["Started", state.startedAt]);
  if (state.finishedAt) rows.push(["Finished", state.finishedAt]);
  if (state.message) rows.push(["Message", state.message]);
  for (const review of state.reviews)
    rows.push([
      `Gate ${review.gate}`,
      review.decision
        ? `${review.decision} by ${review.by}${review.automatic ? " (automatic)" : ""} at ${review.at}`
        : `waits until ${review.timeoutAt}, then: ${review.onTimeout}`,
    ]);
  if (state.phase === "AwaitingReview")
    for (const [gate, url] of Object.entries(state.reviewUrls ?? {})) rows.push([`Review ${gate}`, url]);
  if (state.phase === "Interrupted") rows.push(["Continue with", state.command]);
  for (const [output, path] of Object.entries(state.outputs ?? {})) rows.push([`Output ${output}`, path]);
  const width = Math.max(...rows.map(([key]) => key.length));
  return `${rows.map(([key, value]) => `${key.padEnd(width)}  ${value}`).join("\n")}\n`;
}

function describeStep({ total, running, succeeded, failed, skipped, leftOut = 0 }: RunState["steps"][number]): string {
  const ended = Object.entries({ running, failed, skipped, "left out": leftOut }).filter(([, count]) => count > 0);
  return [`${succeeded}/${total} succeeded`, ...ended.map(([what, count]) => `${count} ${what}`)].join(", ");
}
