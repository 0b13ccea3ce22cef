import { execFile } from "node:child_process";
import { promisify } from "node:util";

const exec = promisify(execFile);

/** Runs a command to its end: what it printed, or an error that says what it said. */
export async function run(command: string, args: string[], input?: string): Promise<string> {
  const done = exec(command, args, { encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  done.child.stdin?.on("error", () => {}); // it ended without reading
  done.child.stdin?.end(input ?? "");
  const { stdout } = await done;
  return stdout;
}

/** The same where failing is an answer: undefined. */
export async function attempt(command: string, args: string[], input?: string): Promise<string | undefined> {
  return run(command, args, input).catch(() => undefined);
}
