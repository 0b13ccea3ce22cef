#!/usr/bin/env node
import { Command, Option } from "commander";
import type { ResolvedHost } from "../lib/resolved-host.ts";
import packageJson from "../package.json" with { type: "json" };
import { gatherAgent } from "./agent-option.ts";
import { CHANGES, withDecisionOptions } from "./decision-options.ts";
import { EXIT, QUOTE_EXIT_CODES } from "./exit-code.ts";
import { gatherResolve } from "./resolve-option.ts";
import { runProgram } from "./run-program.ts";

// Each command's code is loaded when it is the one: `agentic --help` needs neither Redis nor a browser.
const program = new Command("agentic")
  .version(packageJson.version)
  .description("Durable AI agents: run an AgentWorkload on this machine, review what it found, read its outputs.")
  .exitOverride()
  .showHelpAfterError("(--help tells more)")
  .showSuggestionAfterError();

const output = new Option("--output <format>", "what to print on stdout").choices(["text", "json"]).default("text");
const folder = ["--out <dir>", "the run's folder (default: agentic-runs/NAME)"] as const;

/** Of the commands that take a workload as it is run here. */
const ofFiles = (command: Command): Command =>
  command
    .argument(
      "<files...>",
      "one AgentWorkload, and AgentPipelines and Agents that do not ship; YAML or JSON, as for kubectl apply",
    )
    .option(...folder)
    .option(
      "--agent <name=url>",
      "send the steps of an agent to a process that you started; may be given again",
      gatherAgent,
      new Map<string, string>(),
    )
    .option(
      "--resolve <host=address:port>",
      "send a host name's requests there, private addresses included; may be given again",
      gatherResolve,
      new Map<string, ResolvedHost>(),
    )
    .option(
      "--compare-with <run>",
      "a workload's name, or the folder of its run: steps with previous get how they ended there (default: here, once the last run that succeeded is older than spec.freshness)",
    );

const gather = (value: string, before: readonly string[]): string[] => [...before, value];

ofFiles(program.command("run"))
  .description("Run an AgentWorkload on this machine. The same command again continues it where it stopped.")
  .option("--approve", "approve every gate without asking; the decision says so")
  .option("--dry-run", "say what the command would do and cost at most, as agentic quote, and start nothing")
  .option(
    "--host-access <file>",
    "headers, cookies and proxies for single hosts, in YAML or JSON, readable by you only; steps with hostAccess get those of their item's host",
  )
  .option("--redis <url>", "use this Redis (6.2 or later) instead of a private one: redis://, rediss:// or unix://")
  .addOption(output)
  .addHelpText(
    "after",
    `
Pipelines and agents are looked up in the files, then among those that ship (agentic pipelines).
With OPENAI_API_KEY or LLM_BASE_URL set, agents ask a model; without, those that can work without one do.
An agent that --agent names gets its settings from agent.env in the run's folder; the command waits until it is ready.
CHECKPOINTS=redis-stack keeps checkpoints with @langchain/langgraph-checkpoint-redis (needs --redis with Redis 8).

Of the workload's settings, on this machine
  replicas          is how many items of a fan-out are in flight at once
  suspend: true     starts nothing
  deadlines.run     counts from the start of each command; time in which no command runs is free
  freshness         is how old a step may be that a later run reuses
  ttlAfterFinished  is after how long the next run of the workload removes a finished one

Exit codes: ${EXIT.succeeded} succeeded, ${EXIT.failed} failed, ${EXIT.invalid} wrong input, ${EXIT.rejected} rejected, ${EXIT.held} suspended, or another process runs it, ${EXIT.interrupted} interrupted (run again to continue), ${EXIT.sigint} Ctrl-C`,
  )
  .action(async (files: string[], options) => {
    if (options.dryRun) {
      const { quote } = await import("./commands/quote.ts");
      process.exitCode = await quote(files, options);
      return;
    }
    const { run } = await import("./commands/run.ts");
    process.exitCode = await run(files, options);
  });

ofFiles(program.command("quote"))
  .description("Say what agentic run would do and cost at most; nothing is started")
  .addOption(output)
  .addHelpText("after", QUOTE_EXIT_CODES)
  .action(async (files: string[], options) => {
    const { quote } = await import("./commands/quote.ts");
    process.exitCode = await quote(files, options);
  });

ofFiles(program.command("eval"))
  .description("Compare models on a run that was recorded: quality, dollars and time side by side")
  .option("--model <name>", "a model beside the workload's own; may be given again", gather, [])
  .option("--step <name>", "evaluate this step only (default: all that ask a model before the first gate)")
  .option("--expect <file>", "what the steps should find, as a person says it: YAML or JSON")
  .option("--again", "do the steps again, beside what is recorded: after a change of an agent's code or prompt")
  .addOption(output)
  .addHelpText(
    "after",
    `
Steps that come before the evaluated ones are never done: what they recorded is used, so that nothing is fetched.
The budget of the workload holds. The run itself is not changed; progress is kept in its folder, below evaluation/.

Columns
  SUCCEEDED  items on which the step succeeded
  (a name)   what the agent says of its own work, from 0 to 1: the mean over the items
  EXPECTED   values of the expectations that are there; EXTRA: entries of lists that nothing expects
  SECONDS    median of an item
With --again a row says "as recorded" for what each model left before: an agent's code or prompt as it was then.

A file of expectations is a list:
  - { step: analyze, item: "https://www.acme.example/", artifact: analysis, expect: { offers: [{ name: Pro, price: { amount: 29 } }] } }

Exit codes: ${EXIT.succeeded} evaluated, ${EXIT.failed} a step failed, ${EXIT.invalid} wrong input, ${EXIT.held} another process works on the folder, ${EXIT.interrupted} interrupted, ${EXIT.sigint} Ctrl-C`,
  )
  .action(async (files: string[], options) => {
    const { evaluation } = await import("./commands/eval.ts");
    process.exitCode = await evaluation(files, options);
  });

program
  .command("init")
  .description("Write a workload to start from")
  .argument("[pipeline]", "a pipeline that ships, or the file of an AgentPipeline (default: the default pipeline)")
  .option("--name <name>", "the workload's name (default: my-PIPELINE)")
  .option("--output <file>", "where to write it (default: NAME.yaml)")
  .action(async (pipeline: string | undefined, options) => {
    const { init } = await import("./commands/init.ts");
    process.exitCode = await init(pipeline, options);
  });

program
  .command("pipelines")
  .description("List the pipelines that ship")
  .addOption(output)
  .action(async (options) => {
    const { pipelines } = await import("./commands/pipelines.ts");
    process.exitCode = await pipelines(options);
  });

program
  .command("explain")
  .description("Explain a pipeline: its inputs, steps and output")
  .argument("<pipeline>", "a pipeline that ships, or the file of an AgentPipeline")
  .action(async (pipeline: string) => {
    const { explain } = await import("./commands/explain.ts");
    process.exitCode = await explain(pipeline);
  });

program
  .command("validate")
  .description(
    "Check AgentWorkloads, AgentSchedules, AgentPipelines and Agents: all errors at once, each with its line",
  )
  .argument("<files...>", "YAML or JSON, any number of documents")
  .addOption(output)
  .action(async (files: string[], options) => {
    const { validate } = await import("./commands/validate.ts");
    process.exitCode = await validate(files, options);
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

for (const [verb, decision, description] of [
  ["approve", "approved", "Approve the findings of a run that waits for a review"],
  ["reject", "rejected", "Reject the findings of a run that waits for a review"],
  ["changes", "changesRequested", CHANGES],
] as const) {
  const command = program
    .command(verb)
    .description(description)
    .argument("<name>", "the workload's name")
    .option(...folder);
  withDecisionOptions(command, decision)
    .addOption(output)
    .action(async (name: string, options) => {
      const { decide } = await import("./commands/decide.ts");
      process.exitCode = await decide(name, decision, options);
    });
}

program
  .command("outputs")
  .description("Print where the outputs of a run are")
  .argument("<name>", "the workload's name")
  .option(...folder)
  .addOption(new Option("--output <format>", "what to print").choices(["paths", "json"]).default("paths"))
  .action(async (name: string, options) => {
    const { outputs } = await import("./commands/outputs.ts");
    process.exitCode = await outputs(name, options);
  });

const licence = program.command("licence").description("Read a licence of an installation, without a network");
for (const [verb, description] of [
  ["show", "Show what a licence allows, and until when"],
  ["verify", "Check that a licence counts today: exit code 0 where new runs start under it"],
] as const)
  licence
    .command(verb)
    .description(description)
    .argument("<file>", "the licence")
    .option("--keys <file>", "a JWKS with the public keys of further issuers, as in LICENCE_KEYS")
    .addOption(output)
    .addHelpText(
      "after",
      `\nExit codes: ${verb === "show" ? `${EXIT.succeeded} shown` : `${EXIT.succeeded} it counts today, ${EXIT.failed} it does not`}, ${EXIT.invalid} it is no licence of a known issuer`,
    )
    .action(async (file: string, options) => {
      const commands = await import("./commands/licence.ts");
      const run = verb === "show" ? commands.showLicence : commands.verifyLicence;
      process.exitCode = await run(file, options, new Date());
    });

program
  .command("verify")
  .description("Verify the evidence that a run left, offline; with files, that they are outputs of that run")
  .argument("<evidence>", "evidence.json of a run")
  .argument("[files...]", "outputs of the run, such as report.html")
  .requiredOption(
    "--key <file>",
    "PEM of the key that signed it: of a run on one machine, signing-key.pem in its folder",
  )
  .addOption(output)
  .action(async (evidence: string, files: string[], options) => {
    const { verify } = await import("./commands/verify.ts");
    process.exitCode = await verify(evidence, files, options);
  });

program
  .command("cost")
  .description("Show what runs of this machine cost: those below agentic-runs, or one by its steps")
  .argument("[name]", "one workload")
  .option(...folder)
  .addOption(
    new Option("--by <what>", "what to add up (default: run; of one workload: step)").choices([
      "run",
      "step",
      "item",
      "model",
    ]),
  )
  .addOption(output)
  .action(async (name: string | undefined, options) => {
    const { cost } = await import("./commands/cost.ts");
    process.exitCode = await cost(name, options);
  });

program
  .command("doctor")
  .description("Say what is missing on this machine, or in a cluster, and how to get it")
  .option(
    "--cluster",
    "look at the cluster of the kubeconfig: Argo, Knative, our kinds, what is installed; for administrators",
  )
  .option("--context <name>", "the kubeconfig's context; with --cluster")
  .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config); with --cluster")
  .addOption(output)
  .action(async (options) => {
    const { doctor } = options.cluster ? await import("./kubectl/doctor.ts") : await import("./commands/doctor.ts");
    process.exitCode = await doctor(options);
  });

await runProgram(program);
