import { mkdir, readFile } from "node:fs/promises";
import { formatProblems, parseWorkload } from "../../crd/parse.ts";
import { createLog } from "../../lib/log.ts";
import type { ResolvedHost } from "../../lib/resolved-host.ts";
import { EXIT } from "../exit-code.ts";
import { program, sameCommand } from "../invocation.ts";
import { Interrupted } from "../local/broker.ts";
import { localRun } from "../local/local-run.ts";
import { lockFolder } from "../local/process-lock.ts";
import { clock, dollars } from "../progress.ts";
import { defaultFolder, type RunState, runFolder } from "../run-folder.ts";

export interface RunOptions {
  readonly out?: string;
  readonly approve?: true;
  readonly redis?: string;
  readonly resolve: ReadonlyMap<string, ResolvedHost>;
  readonly output: "text" | "json";
}

/** `agentic run FILE`. @returns the exit code */
export async function run(file: string, options: RunOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    say(`agentic: cannot read ${file}: ${error instanceof Error ? error.message : error}`);
    return EXIT.invalid;
  }
  const parsed = parseWorkload(text, { allowPrivateHosts: new Set(options.resolve.keys()) });
  if ("errors" in parsed) {
    say(formatProblems(parsed.errors, file));
    return EXIT.invalid;
  }
  const { workload } = parsed;
  const folder = runFolder(options.out ?? defaultFolder(workload.metadata.name));
  await mkdir(folder.path, { recursive: true });
  const lock = await lockFolder(`${folder.path}/lock`, new Date());
  if ("heldBy" in lock) {
    const { pid, host, since } = lock.heldBy;
    say(
      `agentic: ${workload.metadata.name} is being run by process ${pid} on ${host} since ${since}; look at it with: ${program()} status ${workload.metadata.name}${options.out === undefined ? "" : ` --out ${options.out}`}`,
    );
    return EXIT.held;
  }

  const interrupt = new AbortController();
  const onSignal = (signal: NodeJS.Signals): void => {
    if (interrupt.signal.aborted) process.exit(EXIT.sigint);
    say(`\n${signal}: stopping after the current steps; once more stops at once`);
    interrupt.abort(new Interrupted(signal, "stopped by the user"));
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  try {
    const state = await localRun(workload, file, folder, {
      ...options,
      say,
      signal: interrupt.signal,
      log: createLog("agentic", process.env["LOG_LEVEL"] ?? "silent"),
    });
    if (options.output === "json") process.stdout.write(`${JSON.stringify(state, null, 2)}\n`);
    else summarize(state, say);
    return EXIT_OF[state.phase] ?? EXIT.failed;
  } catch (error) {
    const stopped = interrupt.signal.aborted;
    if (!stopped && !(error instanceof Interrupted)) throw error;
    if (!stopped) say(`agentic: ${(error as Interrupted).reason}: ${(error as Error).message}`);
    say(`Nothing is lost. Go on with:\n  ${sameCommand()}`);
    return stopped ? EXIT.sigint : EXIT.interrupted;
  } finally {
    await lock.release();
    process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
  }
}

const EXIT_OF: Partial<Record<RunState["phase"], number>> = { Succeeded: EXIT.succeeded, Rejected: EXIT.rejected };

function summarize(state: RunState, say: (line: string) => void): void {
  const { sites, usage } = state;
  const took = new Date(state.finishedAt ?? state.startedAt).getTime() - new Date(state.startedAt).getTime();
  say(`${state.phase}${state.message ? `: ${state.message}` : ""}`);
  say(
    `${sites.analyzed} of ${sites.total} sites analyzed, ${sites.failed} failed; ${dollars(usage.costUsd)} (${usage.inputTokens + usage.outputTokens} tokens), ${clock(usage.browserSeconds * 1000)} of browser, ${clock(took)} in all`,
  );
  for (const [format, path] of Object.entries(state.report ?? {}))
    process.stdout.write(`${format.padEnd(9)} ${path}\n`);
}
