import { readdir } from "node:fs/promises";
import { type CostBy, costReport, costTable, type RunCost } from "../cost.ts";
import { EXIT } from "../exit-code.ts";
import { defaultFolder, type RunState, readRunState, runFolder } from "../run-folder.ts";

export interface CostOptions {
  readonly out?: string;
  readonly by?: CostBy;
  readonly output: "text" | "json";
}

/** `agentic cost [NAME]`: what a run of this machine cost; without a name, all below ./agentic-runs. @returns the exit code */
export async function cost(name: string | undefined, { out, by, output }: CostOptions): Promise<number> {
  const isOne = out !== undefined || name !== undefined;
  const read = await Promise.all((await foldersOf(name, out)).map(readCost));
  for (const one of read) if ("problem" in one && (isOne || one.isBroken)) process.stderr.write(`${one.problem}\n`);
  const runs = read.flatMap((one) => ("run" in one ? [one.run] : []));
  if (isOne && runs.length === 0) return EXIT.failed;
  const report = costReport(by ?? (isOne ? "step" : "run"), runs);
  process.stdout.write(output === "json" ? `${JSON.stringify(report, null, 2)}\n` : costTable(report));
  return EXIT.succeeded;
}

async function foldersOf(name: string | undefined, out: string | undefined): Promise<string[]> {
  if (out !== undefined) return [out];
  if (name !== undefined) return [defaultFolder(name)];
  const names = await readdir(defaultFolder("")).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw error;
  });
  return names.toSorted().map(defaultFolder);
}

async function readCost(
  path: string,
): Promise<{ readonly run: RunCost } | { readonly problem: string; readonly isBroken: boolean }> {
  const folder = runFolder(path);
  const { state, problem } = await readRunState(folder);
  if (state) return { run: runCost(state) };
  return { problem: problem ?? `there is no run in ${folder.path}`, isBroken: problem !== undefined };
}

function runCost({
  workload,
  pipeline,
  startedAt,
  finishedAt,
  usage,
  steps,
  itemCosts,
  modelCosts,
}: RunState): RunCost {
  const { namespace, name } = workload;
  const known = { totalUsd: usage.costUsd, steps, items: itemCosts, models: modelCosts };
  return { namespace, name, pipeline, startedAt, finishedAt, ...known };
}
