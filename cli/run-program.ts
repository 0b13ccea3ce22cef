import { type Command, CommanderError } from "commander";
import { EXIT } from "./exit-code.ts";

/** Runs what the command line says, and sets the exit code; an error is a line on stderr. */
export async function runProgram(program: Command): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.succeeded : EXIT.invalid;
      return;
    }
    process.stderr.write(`${program.name()}: ${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env["AGENTIC_DEBUG"]) console.error(error);
    process.exitCode = EXIT.failed;
  }
}
