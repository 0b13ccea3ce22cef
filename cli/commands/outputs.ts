import { EXIT } from "../exit-code.ts";
import { defaultFolder, readRunState, runFolder } from "../run-folder.ts";

export interface OutputsOptions {
  readonly out?: string;
  readonly output: "paths" | "json";
}

/** `agentic outputs NAME`: where the files are that a run has made. */
export async function outputs(name: string, options: OutputsOptions): Promise<number> {
  const folder = runFolder(options.out ?? defaultFolder(name));
  const { state, problem } = await readRunState(folder);
  const made = Object.entries(state?.outputs ?? {});
  if (made.length === 0) {
    const why = problem ?? (state ? `the run is ${state.phase}` : "there is no run");
    process.stderr.write(`no outputs in ${folder.path}: ${why}\n`);
    return EXIT.failed;
  }
  if (options.output === "json") process.stdout.write(`${JSON.stringify(state?.outputs, null, 2)}\n`);
  else process.stdout.write(made.map(([output, path]) => `${output.padEnd(16)} ${path}\n`).join(""));
  return EXIT.succeeded;
}
