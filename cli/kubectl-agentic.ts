#!/usr/bin/env node
import { Command, Option } from "commander";
import { EXIT } from "./exit-code.ts";
import { connectCluster, explain } from "./kubectl/cluster.ts";
import { decide } from "./kubectl/decide.ts";
import { reviews } from "./kubectl/reviews.ts";
import { runProgram } from "./run-program.ts";

// kubectl finds a program of this name on the PATH, and runs it as `kubectl agentic`.
const program = new Command("kubectl agentic")
  .description("Review AgentWorkloads of a cluster: list the gates that wait, approve and reject them.")
  .exitOverride()
  .showHelpAfterError("(--help tells more)")
  .showSuggestionAfterError();

const cluster = (command: Command): Command =>
  command
    .option("-n, --namespace <name>", "the namespace (default: that of the kubeconfig's context)")
    .option("--context <name>", "the kubeconfig's context")
    .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config)")
    .addOption(
      new Option("-o, --output <format>", "what to print on stdout").choices(["text", "json"]).default("text"),
    );

cluster(program.command("reviews"))
  .description("List the gates that wait for a decision")
  .option("-A, --all-namespaces", "of all namespaces")
  .action(async (options) => {
    process.exitCode = await reviews(connectCluster(options), options);
  });

for (const [verb, decision] of [
  ["approve", "approved"],
  ["reject", "rejected"],
] as const) {
  cluster(program.command(verb))
    .description(`${verb === "approve" ? "Approve" : "Reject"} the findings that a gate is about, in your own name`)
    .argument("<name>", "the workload's name")
    .option("--gate <step>", "which gate; needed when several wait")
    .option("--comment <text>", "for the steps after the gate and the readers of the outputs")
    .option("--digest <sha256>", "decide only if the findings are these, as the review page shows them")
    .addHelpText(
      "after",
      `
Needs the ClusterRole agentic-approver: an administrator gives it by
  kubectl -n NAMESPACE create rolebinding reviewers --clusterrole agentic-approver --user YOU

Exit codes: ${EXIT.succeeded} decided, ${EXIT.failed} not decided, ${EXIT.invalid} wrong command line, ${EXIT.interrupted} made, but not taken yet`,
    )
    .action(async (name: string, options) => {
      process.exitCode = await decide(connectCluster(options), name, decision, options);
    });
}

await runProgram(program, explain);
