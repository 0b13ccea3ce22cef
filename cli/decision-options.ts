import type { Command } from "commander";

// approve, reject and changes, of `agentic` and `kubectl agentic` alike.

export const CHANGES = "Ask for changes: steps run again with your comment, and the gate opens again";

/** What all of them take. */
export function withDecisionOptions<T extends Command>(
  command: T,
  decision: "approved" | "rejected" | "changesRequested",
): T {
  command.option("--gate <step>", "which gate; needed when several wait");
  if (decision === "changesRequested")
    command
      .requiredOption("--comment <text>", "what is to be changed: part of the input of the steps that run again")
      .option("--step <name...>", "which steps before the gate run again; all that the gate shows when none is named");
  else command.option("--comment <text>", "for the steps after the gate and the readers of the outputs");
  return command
    .option("--corrections <file>", "facts of the findings to strike, correct or comment: a list in YAML or JSON")
    .option("--digest <sha256>", "decide only if the findings are these, as the review page shows them");
}
