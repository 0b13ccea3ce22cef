#!/usr/bin/env node
import { Command, Option } from "commander";
import { argoEngine } from "../functions/reconcile/argo/engine.ts";
import { CHANGE, CHANGED_STEPS, COMMENT } from "./decision-options.ts";
import { EXIT } from "./exit-code.ts";
import { type ClusterOptions, connectCluster } from "./kubectl/cluster.ts";
import { decide } from "./kubectl/decide.ts";
import { describe } from "./kubectl/describe.ts";
import { reviews } from "./kubectl/reviews.ts";
import { suspend } from "./kubectl/suspend.ts";
import { watch } from "./kubectl/watch.ts";
import { runProgram } from "./run-program.ts";

const connect = (options: ClusterOptions) => connectCluster(options, argoEngine);

// kubectl finds a program of this name on the PATH, and runs it as `kubectl agentic`.
const program = new Command("kubectl agentic")
  .description("AgentWorkloads of a cluster: how far a run is, and the decisions that it waits for.")
  .exitOverride()
  .showHelpAfterError("(--help tells more)")
  .showSuggestionAfterError();

const inCluster = (command: Command): Command =>
  command
    .option("-n, --namespace <name>", "the namespace (default: that of the kubeconfig's context)")
    .option("--context <name>", "the kubeconfig's context")
    .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config)");
const printing = (command: Command): Command =>
  inCluster(command).addOption(
    new Option("-o, --output <format>", "what to print on stdout").choices(["text", "json"]).default("text"),
  );
const NAME = ["<name>", "the workload's name"] as const;

printing(program.command("describe"))
  .description("Show a run as a tree: how far each step is, what failed and why, what it cost")
  .argument(...NAME)
  .action(async (name: string, options) => {
    process.exitCode = await describe(connect(options), name, options);
  });

inCluster(program.command("watch"))
  .description("Follow a run to its end; Ctrl-C ends the watch, not the run")
  .argument(...NAME)
  .addHelpText("after", `\nExit codes: ${EXIT.succeeded} the run succeeded, ${EXIT.failed} it did not`)
  .action(async (name: string, options) => {
    process.exitCode = await watch(connect(options), name);
  });

for (const verb of ["suspend", "resume"] as const)
  inCluster(program.command(verb))
    .description(verb === "suspend" ? "Let no step of a run start; running ones finish" : "Let a suspended run go on")
    .argument(...NAME)
    .action(async (name: string, options) => {
      process.exitCode = await suspend(connect(options), name, verb === "suspend");
    });

printing(program.command("reviews"))
  .description("List the gates that wait for a decision")
  .option("-A, --all-namespaces", "of all namespaces")
  .action(async (options) => {
    process.exitCode = await reviews(connect(options), options);
  });

for (const [verb, decision, description, comment] of [
  ["approve", "approved", "Approve the findings that a gate is about, in your own name", COMMENT],
  ["reject", "rejected", "Reject the findings that a gate is about, in your own name", COMMENT],
  [
    "changes",
    "changesRequested",
    "Ask for changes: steps run again with your comment, and the gate opens again",
    CHANGE,
  ],
] as const) {
  const command = printing(program.command(verb))
    .description(description)
    .argument(...NAME)
    .option("--gate <step>", "which gate; needed when several wait");
  if (decision === "changesRequested") command.requiredOption("--comment <text>", comment).option(...CHANGED_STEPS);
  else command.option("--comment <text>", comment);
  command
    .option("--digest <sha256>", "decide only if the findings are these, as the review page shows them")
    .addHelpText(
      "after",
      `
Needs the ClusterRole agentic-approver: an administrator gives it by
  kubectl -n NAMESPACE create rolebinding reviewers --clusterrole agentic-approver --user YOU

Exit codes: ${EXIT.succeeded} decided, ${EXIT.failed} not decided, ${EXIT.invalid} wrong command line, ${EXIT.interrupted} made, but not taken yet`,
    )
    .action(async (name: string, options) => {
      process.exitCode = await decide(connect(options), name, decision, options);
    });
}

await runProgram(program);
