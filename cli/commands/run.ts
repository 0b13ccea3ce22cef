import { mkdir } from "node:fs/promises";
import { modelEndpoint, readSettings } from "../../lib/config.ts";
import type { HeldAccess } from "../../lib/host-access.ts";
import { createLog } from "../../lib/log.ts";
import { modelsOf } from "../../lib/model/choice.ts";
import { modelEnd } from "../../lib/model/prices.ts";
import { startTelemetry } from "../../lib/telemetry/start.ts";
import { EXIT } from "../exit-code.ts";
import { readHostAccess } from "../host-access-file.ts";
import { program, sameCommand } from "../invocation.ts";
import { Interrupted, interruptedBySignals } from "../local/interrupted.ts";
import { localRun } from "../local/local-run.ts";
import { lockFolder } from "../local/process-lock.ts";
import { clock, dollars } from "../progress.ts";
import type { ResolvedWorkload } from "../resolve.ts";
import { type ResolveFilesOptions, resolveFiles } from "../resolve-files.ts";
import { defaultFolder, type RunFolder, type RunState, runFolder } from "../run-folder.ts";

export interface RunOptions extends ResolveFilesOptions {
  readonly out?: string;
  readonly approve?: true;
  readonly redis?: string;
  /** A file. */
  readonly hostAccess?: string;
  readonly output: "text" | "json";
}

type Say = (line: string) => void;

/** `agentic run FILE...`. @returns the exit code */
export async function run(files: readonly string[], options: RunOptions): Promise<number> {
  const say: Say = (line) => void process.stderr.write(`${line}\n`);
  const resolved = await resolveFiles(files, options);
  if ("problem" in resolved) {
    say(resolved.problem);
    return EXIT.invalid;
  }
  const held = options.hostAccess === undefined ? { hostAccess: {} } : await readHostAccess(options.hostAccess);
  if ("problem" in held) {
    say(`agentic: ${held.problem}`);
    return EXIT.invalid;
  }
  const { name } = resolved.workload.metadata;
  if (resolved.workload.spec.suspend) {
    say(`agentic: ${name} is suspended (spec.suspend: true): nothing is started. Set it to false to run the workload.`);
    return EXIT.held;
  }
  if (resolved.workload.spec.stop) {
    say(`agentic: ${name} is stopped (spec.stop: true): nothing is started. Set it to false to run the workload.`);
    return EXIT.held;
  }
  warnOfModelEnds(resolved, say);
  const folder = runFolder(options.out ?? defaultFolder(name));
  // Captures, findings and reports are the user's, as the keys are: nobody else on the machine reads them.
  process.umask(0o077);
  await mkdir(folder.path, { recursive: true });
  const lock = await lockFolder(`${folder.path}/lock`, new Date());
  if ("heldBy" in lock) {
    const { pid, host, since } = lock.heldBy;
    const out = options.out === undefined ? "" : ` --out ${options.out}`;
    say(
      `agentic: process ${pid} on ${host} has been running ${name} since ${since}; look at it with: ${program()} status ${name}${out}`,
    );
    return EXIT.held;
  }
  try {
    return await runInFolder(resolved, folder, { ...options, ...held }, say);
  } finally {
    await lock.release();
  }
}

function warnOfModelEnds({ workload, run }: ResolvedWorkload, say: Say): void {
  if (!modelEndpoint(process.env) || !run.pipeline.steps.some((step) => step.with.includes("model"))) return;
  for (const model of modelsOf(workload.spec.model)) {
    const end = modelEnd(model, new Date());
    if (end)
      say(
        `warning: the API of model ${model} ${end.ended ? "ended" : "ends"} on ${end.endsOn}: choose another in spec.model`,
      );
  }
}

async function runInFolder(
  resolved: ResolvedWorkload,
  folder: RunFolder,
  options: Omit<RunOptions, "hostAccess"> & { readonly hostAccess: HeldAccess },
  say: Say,
): Promise<number> {
  const interrupt = interruptedBySignals(say);
  const log = createLog("agentic", process.env["LOG_LEVEL"] ?? "silent");
  const telemetry = await startTelemetry("agentic", readSettings(), log);
  try {
    const state = await localRun(resolved, folder, { ...options, say, signal: interrupt.signal, log });
    if (options.output === "json") process.stdout.write(`${JSON.stringify(state, null, 2)}\n`);
    else summarize(state, say);
    return EXIT_OF[state.phase] ?? EXIT.failed;
  } catch (error) {
    const stopped = interrupt.signal.aborted;
    if (!stopped && !(error instanceof Interrupted)) throw error;
    if (!stopped) say(`agentic: ${(error as Interrupted).reason}: ${(error as Error).message}`);
    say(`Nothing is lost. Continue with:\n  ${sameCommand()}`);
    return stopped ? EXIT.sigint : EXIT.interrupted;
  } finally {
    // Who is not reached in time would keep the command for as long as a request may take.
    if (!(await telemetry.shutdown())) setTimeout(() => process.exit(), 100).unref();
    interrupt.ignore();
  }
}

const EXIT_OF: Partial<Record<RunState["phase"], number>> = { Succeeded: EXIT.succeeded, Rejected: EXIT.rejected };

function summarize(state: RunState, say: Say): void {
  const { items, steps, usage } = state;
  const took = Date.parse(state.finishedAt ?? state.startedAt) - Date.parse(state.startedAt);
  const succeeded = steps.filter((step) => step.succeeded > 0).length;
  const done =
    items.total > 0
      ? `${items.done} of ${items.total} items done, ${items.failed} failed`
      : `${succeeded} of ${steps.length} steps succeeded`;
  say(`${state.phase}${state.message ? `: ${state.message}` : ""}`);
  say(
    `${done}; ${dollars(usage.costUsd)} (${usage.inputTokens + usage.outputTokens} tokens), ${clock(usage.browserSeconds * 1000)} of browser, ${clock(took)} in all`,
  );
  for (const [output, path] of Object.entries(state.outputs ?? {}))
    process.stdout.write(`${output.padEnd(9)} ${path}\n`);
}
