import { readFile } from "node:fs/promises";
import { EXIT } from "../exit-code.ts";
import { defaultFolder, readRunState, runFolder } from "../run-folder.ts";

export interface ReportOptions {
  readonly out?: string;
  readonly output: "paths" | "markdown" | "json";
}

export async function report(name: string, options: ReportOptions): Promise<number> {
  const folder = runFolder(options.out ?? defaultFolder(name));
  const state = await readRunState(folder);
  if (!state?.report) {
    const why = state ? `the run is ${state.phase}` : "there is no run";
    process.stderr.write(`no report in ${folder.path}: ${why}\n`);
    return EXIT.failed;
  }
  if (options.output === "paths") {
    for (const [format, path] of Object.entries(state.report)) process.stdout.write(`${format.padEnd(9)} ${path}\n`);
    return EXIT.succeeded;
  }
  const path = state.report[options.output];
  if (!path) {
    process.stderr.write(`the report has no ${options.output}\n`);
    return EXIT.failed;
  }
  process.stdout.write(await readFile(path));
  return EXIT.succeeded;
}
