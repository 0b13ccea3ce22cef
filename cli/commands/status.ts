import { EXIT } from "../exit-code.ts";
import { program } from "../invocation.ts";
import { dollars } from "../progress.ts";
import { defaultFolder, type RunState, readRunState, runFolder } from "../run-folder.ts";

export interface StatusOptions {
  readonly out?: string;
  readonly output: "text" | "json";
}

export async function status(name: string, options: StatusOptions): Promise<number> {
  const folder = runFolder(options.out ?? defaultFolder(name));
  const state = await readRunState(folder);
  if (!state) {
    process.stderr.write(`no run in ${folder.path}; start one with: ${program()} run FILE\n`);
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
  const { sites } = state;
  const rows: [string, string][] = [
    ["Workload", `${state.workload.namespace}/${state.workload.name}`],
    ["Phase", state.reason && state.reason !== state.phase ? `${state.phase} (${state.reason})` : state.phase],
    ["Sites", `${sites.analyzed}/${sites.total} analyzed, ${sites.scraped} scraped, ${sites.failed} failed`],
    ["Cost", `${dollars(state.usage.costUsd)}, ${state.usage.inputTokens + state.usage.outputTokens} tokens`],
    ["Started", state.startedAt],
  ];
  if (state.finishedAt) rows.push(["Finished", state.finishedAt]);
  if (state.message) rows.push(["Message", state.message]);
  if (state.phase === "AwaitingReview" && state.reviewUrl) rows.push(["Review", state.reviewUrl]);
  if (state.phase === "Interrupted") rows.push(["Go on with", state.command ?? `${program()} run ${state.file}`]);
  for (const [format, path] of Object.entries(state.report ?? {})) rows.push([`Report ${format}`, path]);
  return `${rows.map(([key, value]) => `${key.padEnd(16)} ${value}`).join("\n")}\n`;
}
