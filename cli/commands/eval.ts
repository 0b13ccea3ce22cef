import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { modelEndpoint } from "../../lib/config.ts";
import { createLog } from "../../lib/log.ts";
import { schemaProblems } from "../../lib/schema-problems.ts";
import { evaluate } from "../evaluation/evaluate.ts";
import { type Expectation, expectationsSchema } from "../evaluation/expectations.ts";
import { evaluatedPart } from "../evaluation/part.ts";
import { scoreTable, type VariantScore } from "../evaluation/score.ts";
import { EXIT } from "../exit-code.ts";
import { sameCommand } from "../invocation.ts";
import { Interrupted, interruptedBySignals } from "../local/interrupted.ts";
import { lockFolder } from "../local/process-lock.ts";
import { type ResolveFilesOptions, resolveFiles } from "../resolve-files.ts";
import { defaultFolder, readRunState, runFolder } from "../run-folder.ts";

export interface EvalOptions extends ResolveFilesOptions {
  readonly out?: string;
  readonly model?: readonly string[];
  readonly step?: string;
  readonly again?: true;
  readonly expect?: string;
  readonly output: "text" | "json";
}

/** `agentic eval FILE...`. @returns the exit code */
export async function evaluation(files: readonly string[], options: EvalOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const refuse = (problem: string, code: number = EXIT.invalid): number => {
    say(problem);
    return code;
  };
  const resolved = await resolveFiles(files, options);
  if ("problem" in resolved) return refuse(resolved.problem);
  const { name } = resolved.workload.metadata;
  const part = evaluatedPart(resolved.run, options.step);
  if ("problem" in part) return refuse(`agentic: ${part.problem}`);
  const expected = options.expect === undefined ? { expectations: [] } : await readExpectations(options.expect);
  if ("problem" in expected) return refuse(`agentic: ${expected.problem}`);
  if (!modelEndpoint(process.env))
    return refuse("agentic: an evaluation asks models: set OPENAI_API_KEY, or LLM_BASE_URL and LLM_API_KEY");
  const folder = runFolder(options.out ?? defaultFolder(name));
  const { state } = await readRunState(folder);
  if (!state) return refuse(`agentic: there is no run of ${name} in ${folder.path}: run it first with agentic run`);
  // The steps before the evaluated ones are recorded as they were compared.
  const { comparedWith } = state;
  const compared = comparedWith ? { ...part, run: { ...part.run, comparison: comparedWith } } : part;
  process.umask(0o077);
  const lock = await lockFolder(`${folder.path}/lock`, new Date());
  if ("heldBy" in lock)
    return refuse(`agentic: process ${lock.heldBy.pid} on ${lock.heldBy.host} works on ${folder.path}`, EXIT.held);
  const interrupt = interruptedBySignals(say);
  try {
    const scores = await evaluate(resolved, compared, folder, {
      models: [...new Set([resolved.workload.spec.model.name, ...(options.model ?? [])])],
      again: options.again ?? false,
      expectations: expected.expectations,
      resolve: options.resolve,
      say,
      signal: interrupt.signal,
      log: createLog("agentic", process.env["LOG_LEVEL"] ?? "silent"),
    });
    process.stdout.write(options.output === "json" ? `${JSON.stringify(scores, null, 2)}\n` : scoreTable(scores));
    return sayFailures(scores, say) ? EXIT.failed : EXIT.succeeded;
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    say(`agentic: ${error.reason}: ${error.message}\nNothing is lost. Continue with:\n  ${sameCommand()}`);
    return interrupt.signal.aborted ? EXIT.sigint : EXIT.interrupted;
  } finally {
    interrupt.ignore();
    await lock.release();
  }
}

/** @returns whether there are any */
function sayFailures(scores: readonly VariantScore[], say: (line: string) => void): boolean {
  const now = scores.filter(({ asRecorded }) => !asRecorded);
  const missing = Object.entries(now[0]?.notRecorded ?? {}).map(
    ([step, count]) =>
      `step ${step} is not recorded on ${count} item${count === 1 ? "" : "s"}, left out here: run the workload first`,
  );
  const failed = now.flatMap(({ model, steps }) =>
    steps.flatMap(({ step, failed: reasons }) =>
      Object.entries(reasons).map(([reason, count]) => `${model}: ${step} failed on ${count} (${reason})`),
    ),
  );
  for (const line of [...missing, ...failed]) say(`agentic: ${line}`);
  return missing.length + failed.length > 0;
}

async function readExpectations(
  path: string,
): Promise<{ readonly expectations: readonly Expectation[] } | { readonly problem: string }> {
  try {
    return { expectations: expectationsSchema.parse(parse(await readFile(path, "utf8"))) };
  } catch (error) {
    const why = error instanceof z.ZodError ? schemaProblems(error) : (error as Error).message;
    return { problem: `${path} holds no expectations: ${why}` };
  }
}
