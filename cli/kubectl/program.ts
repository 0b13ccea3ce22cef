import { Command, Option } from "commander";
import packageJson from "../../package.json" with { type: "json" };
import { COST_BY } from "../cost.ts";
import { CHANGES, withDecisionOptions } from "../decision-options.ts";
import { EXIT, QUOTE_EXIT_CODES } from "../exit-code.ts";
import { USAGE_FORMATS } from "../usage.ts";
import type { Cluster, ClusterOptions } from "./cluster.ts";
import { cost } from "./cost.ts";
import { decide } from "./decide.ts";
import { describe } from "./describe.ts";
import { doctor } from "./doctor.ts";
import { evidence } from "./evidence.ts";
import { get } from "./get.ts";
import { licence } from "./licence.ts";
import { logs } from "./logs.ts";
import { outputs } from "./outputs.ts";
import { quote } from "./quote.ts";
import { rerun } from "./rerun.ts";
import { review } from "./review.ts";
import { reviews } from "./reviews.ts";
import { stop } from "./stop.ts";
import { resume, suspend } from "./suspend.ts";
import { usage } from "./usage.ts";
import { watch, watchInBrowser } from "./watch.ts";

/** The first argument of a command that is about one workload. */
export const NAME = ["<name>", "the workload's name"] as const;

const inCluster = (command: Command): Command =>
  command
    .option("-n, --namespace <name>", "the namespace (default: that of the kubeconfig's context)")
    .option("--context <name>", "the kubeconfig's context")
    .option("--kubeconfig <file>", "the kubeconfig (default: $KUBECONFIG, ~/.kube/config)");
const printing = (command: Command): Command =>
  inCluster(command).addOption(
    new Option("-o, --output <format>", "what to print on stdout").choices(["text", "json"]).default("text"),
  );

/** The command line of `kubectl agentic`. */
export function createProgram(connect: (options: ClusterOptions) => Cluster): Command {
  const program = new Command("kubectl agentic")
    .version(packageJson.version)
    .description("AgentWorkloads of a cluster: how far a run is, the decisions that it waits for, and what it made.")
    .exitOverride()
    .showHelpAfterError("(--help tells more)")
    .showSuggestionAfterError();
  const command = (name: string, example: string): Command =>
    program.command(name).addHelpText("after", `\nExample:\n  kubectl agentic ${example}`);

  inCluster(command("get", "get -A"))
    .description("List workloads: how far each is, what it cost, whether it waits for a decision")
    .argument("[name]", "one workload")
    .option("-A, --all-namespaces", "of all namespaces")
    .addOption(
      new Option("-o, --output <format>", "what to print on stdout").choices(["text", "json", "name"]).default("text"),
    )
    .action(async (name: string | undefined, options) => {
      process.exitCode = await get(connect(options), name, options, new Date());
    });

  printing(command("describe", "describe my-run -n team-a"))
    .description("Show a run as a tree: how far each step is, what failed and why, what it cost")
    .argument(...NAME)
    .action(async (name: string, options) => {
      process.exitCode = await describe(connect(options), name, options);
    });

  printing(command("cost", "cost -A --by month"))
    .description("Show what runs cost: each of them, or one by its steps")
    .argument("[name]", "one workload")
    .addOption(new Option("--by <what>", "what to add up (default: run; of one workload: step)").choices(COST_BY))
    .option("-A, --all-namespaces", "of all namespaces")
    .action(async (name: string | undefined, options) => {
      process.exitCode = await cost(connect(options), name, options);
    });

  printing(command("quote", "quote my-run.yaml -n team-a"))
    .description("Say what a workload would do and cost at most, before it is applied; nothing is started")
    .argument("<files...>", "one AgentWorkload, and AgentPipelines that are not in the cluster; YAML or JSON")
    .addHelpText("after", QUOTE_EXIT_CODES)
    .action(async (files: string[], options) => {
      process.exitCode = await quote(connect, files, options);
    });

  inCluster(command("watch", "watch my-run -n team-a"))
    .description("Follow a run to its end; Ctrl-C ends the watch, not the run")
    .argument("[name]", "the workload's name; with --open it may be left out, for all of the namespace")
    .option("--open", "show the runs in a browser, as they go on; needs no ingress")
    .option("-A, --all-namespaces", "of all namespaces; only with --open")
    .addHelpText("after", `\nExit codes: ${EXIT.succeeded} the run succeeded, ${EXIT.failed} it did not`)
    .action(async (name: string | undefined, options) => {
      const cluster = connect(options);
      if (options.open)
        process.exitCode = await watchInBrowser(
          cluster,
          (namespace) => connect({ ...options, namespace }),
          name,
          options,
        );
      else if (name === undefined || options.allNamespaces) {
        process.stderr.write("kubectl agentic: name one workload, or add --open to see several in a browser\n");
        process.exitCode = EXIT.invalid;
      } else process.exitCode = await watch(cluster, name);
    });

  printing(command("logs", "logs my-run --step report -f"))
    .description("Print what the functions wrote of a workload, merged by time, as far as their pods are still there")
    .argument(...NAME)
    .option("--step <step>", "of this step alone")
    .option("-f, --follow", "until the run ends")
    .action(async (name: string, options) => {
      process.exitCode = await logs(connect(options), name, options);
    });

  inCluster(command("suspend", "suspend my-run"))
    .description("Let no step of a run start; running ones finish")
    .argument(...NAME)
    .action(async (name: string, options) => {
      process.exitCode = await suspend(connect(options), name);
    });

  inCluster(command("resume", "resume my-run"))
    .description("Let a suspended run go on, or try a stopped one again; completed steps are reused")
    .argument(...NAME)
    .action(async (name: string, options) => {
      process.exitCode = await resume(connect(options), name);
    });

  inCluster(command("stop", "stop my-run"))
    .description("End a run: no step starts, running ones finish, and it fails with Stopped")
    .argument(...NAME)
    .action(async (name: string, options) => {
      process.exitCode = await stop(connect(options), name);
    });

  inCluster(command("rerun", "rerun my-run --from report"))
    .description("Run a workload that has ended again, gates included; what it costs counts towards the same budget")
    .argument(...NAME)
    .option("--from <step>", "reuse the results of the steps before this one")
    .action(async (name: string, options) => {
      process.exitCode = await rerun(connect(options), name, options, new Date());
    });

  printing(command("reviews", "reviews -A"))
    .description("List the gates that wait for a decision")
    .option("-A, --all-namespaces", "of all namespaces")
    .action(async (options) => {
      process.exitCode = await reviews(connect(options), options);
    });

  printing(command("review", "review my-run --open"))
    .description("Show what a gate is about: what was found, its digest, and how to decide")
    .argument(...NAME)
    .option("--gate <step>", "which gate; needed when several wait")
    .option("--open", "show the review page, with its pictures and the form, in a browser; needs no ingress")
    .action(async (name: string, options) => {
      process.exitCode = await review(connect(options), name, options);
    });

  printing(command("outputs", "outputs my-run --save report"))
    .description("List what a run has made, and fetch it")
    .argument(...NAME)
    .option("--save <folder>", "save all of it there")
    .option("--open", "save it, and show the report")
    .action(async (name: string, options) => {
      process.exitCode = await outputs(connect(options), name, options);
    });

  inCluster(command("evidence", "evidence my-run > evidence.json"))
    .description("Print the signed statement of what a run did, for 'agentic verify'")
    .argument(...NAME)
    .action(async (name: string, options) => {
      process.exitCode = await evidence(connect(options), name);
    });

  printing(command("licence", "licence"))
    .description("Show the licence of the installation, and what of its limits is in use; for administrators")
    .action(async (options) => {
      process.exitCode = await licence(connect(options), options);
    });

  inCluster(command("usage", "usage -A --month 2026-11 --output csv > usage.csv"))
    .description("Show what runs used in a month, deleted ones included; of all namespaces, for administrators")
    .option("--month <month>", "as 2026-11, in UTC (default: this month)")
    .option("-A, --all-namespaces", "of all namespaces")
    .option("--verify", "check that no record is missing and none was edited")
    .option("--key <file>", "with --verify: a PEM with public keys of before the last rotation")
    .addOption(new Option("-o, --output <format>", "what to print on stdout").choices(USAGE_FORMATS).default("table"))
    .addHelpText(
      "after",
      `
Needs the right to create tokens of service accounts in the namespace, as edit gives it; with -A in agentic-system.

Exit codes: ${EXIT.succeeded} shown, ${EXIT.failed} with --verify: a record is missing or was edited, ${EXIT.invalid} wrong command line`,
    )
    .action(async (options) => {
      process.exitCode = await usage(connect(options), options, new Date());
    });

  printing(command("doctor", "doctor"))
    .description("Say what the cluster lacks, each with the command that brings it; for administrators")
    .addHelpText("after", `\nExit codes: ${EXIT.succeeded} the product can run, ${EXIT.failed} something is missing`)
    .action(async (options) => {
      process.exitCode = await doctor(options);
    });

  for (const [verb, decision, description] of [
    ["approve", "approved", "Approve the findings that a gate is about, in your own name"],
    ["reject", "rejected", "Reject the findings that a gate is about, in your own name"],
    ["changes", "changesRequested", CHANGES],
  ] as const) {
    const deciding = printing(command(verb, `${verb} my-run --comment "Look at yearly figures."`))
      .description(description)
      .argument(...NAME);
    withDecisionOptions(deciding, decision)
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
  return program;
}
