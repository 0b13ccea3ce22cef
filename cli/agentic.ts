#!/usr/bin/env node
import { Command, CommanderError, Option } from "commander";
import type { ResolvedHost } from "../lib/resolved-host.ts";
import { EXIT } from "./exit-code.ts";
import { gatherResolve } from "./resolve-option.ts";

// Each command's code is loaded when it is the one: `agentic --help` needs neither Redis nor a browser.
const program = new Command("agentic")
  .description("Durable AI agents: run an AgentWorkload, review what it found, get the report.")
  .exitOverride()
  .showHelpAfterError("(--help tells more)")
  .showSuggestionAfterError();

const output = new Option("--output <format>", "what to print on stdout").choices(["text", "json"]).default("text");
const folder = ["--out <dir>", "the run's folder (default: agentic-runs/NAME)"] as const;

program
  .command("run")
  .description("Run an AgentWorkload on this machine, to its report. The same command again goes on where it stopped.")
  .argument("<file>", "the AgentWorkload, YAML or JSON, as kubectl apply takes it")
  .option(...folder)
  .option("--approve", "decide the review by itself; the report says so")
  .option("--redis <url>", "use this Redis (6.2 or later) instead of a private one: redis://, rediss:// or unix://")
  .option(
    "--resolve <host=address:port>",
    "send a host name's requests there, private addresses included; may be given again",
    gatherResolve,
    new Map<string, ResolvedHost>(),
  )
  .addOption(output)
  .addHelpText(
    "after",
    `
With OPENAI_API_KEY or LLM_BASE_URL set, a model analyzes; without, an extractive analyst does, and the report says so.
CHECKPOINTS=redis-stack keeps checkpoints with @langchain/langgraph-checkpoint-redis (needs --redis with Redis 8).

Exit codes: ${EXIT.succeeded} succeeded, ${EXIT.failed} failed, ${EXIT.invalid} wrong input, ${EXIT.rejected} rejected, ${EXIT.held} another process works on it, ${EXIT.interrupted} interrupted (run again to go on), ${EXIT.sigint} Ctrl-C`,
  )
  .action(async (file: string, options) => {
    const { run } = await import("./commands/run.ts");
    process.exitCode = await run(file, options);
  });

program
  .command("status")
  .description("Show how far a run is")
  .argument("<name>", "the workload's name")
  .option(...folder)
  .addOption(output)
  .action(async (name: string, options) => {
    const { status } = await import("./commands/status.ts");
    process.exitCode = await status(name, options);
  });

for (const [verb, decision] of [
  ["approve", "approved"],
  ["reject", "rejected"],
] as const) {
  program
    .command(verb)
    .description(`${verb === "approve" ? "Approve" : "Reject"} the findings of a run that waits for its review`)
    .argument("<name>", "the workload's name")
    .option(...folder)
    .option("--comment <text>", "for the report's author and its readers")
    .option("--digest <sha256>", "decide only if the findings are these, as the review page shows them")
    .addOption(output)
    .action(async (name: string, options) => {
      const { decide } = await import("./commands/decide.ts");
      process.exitCode = await decide(name, decision, options);
    });
}

program
  .command("report")
  .description("Print where a run's report is, or the report itself")
  .argument("<name>", "the workload's name")
  .option(...folder)
  .addOption(
    new Option("--output <format>", "paths, or the content").choices(["paths", "markdown", "json"]).default("paths"),
  )
  .action(async (name: string, options) => {
    const { report } = await import("./commands/report.ts");
    process.exitCode = await report(name, options);
  });

program
  .command("validate")
  .description("Check an AgentWorkload: all its errors at once, each with its line")
  .argument("<file>", "YAML or JSON")
  .addOption(output)
  .action(async (file: string, options) => {
    const { validate } = await import("./commands/validate.ts");
    process.exitCode = await validate(file, options);
  });

program
  .command("doctor")
  .description("Say what is missing on this machine, and how to get it")
  .addOption(output)
  .action(async (options) => {
    const { doctor } = await import("./commands/doctor.ts");
    process.exitCode = await doctor(options);
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? EXIT.succeeded : EXIT.invalid;
  } else {
    process.stderr.write(`agentic: ${error instanceof Error ? error.message : String(error)}\n`);
    if (process.env["AGENTIC_DEBUG"]) console.error(error);
    process.exitCode = EXIT.failed;
  }
}
