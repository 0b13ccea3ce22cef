import { expect, test } from "vitest";
import type { ClusterOptions } from "../../../cli/kubectl/cluster.ts";
import { complete } from "../../../cli/kubectl/complete.ts";
import { createProgram } from "../../../cli/kubectl/program.ts";

const program = createProgram(() => {
  throw new Error("no command runs while its line is completed");
});
const asked: ClusterOptions[] = [];
const completed = async (...words: string[]): Promise<string[]> => {
  const names = async (options: ClusterOptions) => {
    asked.push(options);
    return ["market", "manual", "other"];
  };
  const lines = (await complete(program, words, names)).trimEnd().split("\n");
  return lines.map((line) => line.split("\t")[0] ?? "");
};

test.each<[string, string[], string[]]>([
  ["commands", ["re"], ["resume", "rerun", "reviews", "review", "reject", ":4"]],
  ["workloads", ["describe", "ma"], ["market", "manual", ":4"]],
  ["workloads behind options", ["describe", "-n", "team-a", "o"], ["other", ":4"]],
  ["no second workload", ["describe", "market", ""], [":4"]],
  ["no workload of a command that takes none", ["reviews", ""], [":4"]],
  ["options", ["outputs", "market", "--o"], ["--output", "--open", ":4"]],
  ["values of an option", ["get", "-o", ""], ["text", "json", "name", ":4"]],
  ["no values that nobody knows", ["review", "market", "--gate", ""], [":4"]],
  ["files", ["quote", "wo"], [":0"]],
  ["what money is listed by", ["cost", "--by", "m"], ["model", "month", ":4"]],
  ["folders", ["outputs", "market", "--save", ""], [":16"]],
  ["nothing of what is no command", ["dance", ""], [":4"]],
])("%s", async (_what, words, expected) => {
  expect(await completed(...words)).toEqual(expected);
});

test("workloads are those of the namespace that the line names", async () => {
  asked.length = 0;
  await completed("watch", "--kubeconfig", "k", "-n", "team-a", "--context", "c", "");
  expect(asked).toEqual([{ namespace: "team-a", context: "c", kubeconfig: "k" }]);
});

test("a cluster that does not answer completes nothing, and breaks no line", async () => {
  expect(await complete(program, ["get", ""], () => Promise.reject(new Error("away")))).toBe(":4\n");
});

test("each command has an example in its help", () => {
  for (const command of program.commands) {
    let help = "";
    command
      .configureOutput({
        writeOut: (text) => {
          help += text;
        },
      })
      .outputHelp();
    expect(help).toMatch(new RegExp(`Example:\\n  kubectl agentic ${command.name()}`));
  }
});
