import type { Command, Option } from "commander";
import type { ClusterOptions } from "./cluster.ts";

/** What cobra's shells do with an answer: complete file names, none, or folders alone. */
const FILES = ":0";
const NO_FILES = ":4";
const FOLDERS = ":16";

/**
 * Completes the last of the words, for kubectl: a candidate a line, with its description behind a tab, and last what the shell is to do
 * besides. `names`: of the workloads in a namespace; none where the cluster does not answer.
 */
export async function complete(
  program: Command,
  words: readonly string[],
  names: (options: ClusterOptions) => Promise<readonly string[]>,
): Promise<string> {
  const typed = words.at(-1) ?? "";
  const before = words.slice(0, -1);
  const [first, ...given] = before;
  const answer = (all: readonly (readonly [string, string])[]): string =>
    [...all.filter(([word]) => word.startsWith(typed)).map((one) => one.join("\t")), NO_FILES, ""].join("\n");
  if (first === undefined) return answer(program.commands.map((one) => [one.name(), one.description()]));
  const command = program.commands.find((one) => one.name() === first);
  if (!command) return answer([]);
  const { options } = command;
  const open = awaited(options, given.at(-1));
  if (open?.long === "--save") return `${FOLDERS}\n`;
  if (open) return answer((open.argChoices ?? []).map((choice) => [choice, ""]));
  if (typed.startsWith("-")) return answer(options.map(({ long, description }) => [long ?? "", description]));
  if (command.registeredArguments[0]?.name() === "files") return `${FILES}\n`;
  const isNamed = positionals(options, given) > 0;
  if (isNamed || command.registeredArguments.length === 0) return answer([]);
  const found = await names(whereOf(options, given)).catch(() => []);
  return answer(found.map((name) => [name, "AgentWorkload"]));
}

/** The option that waits for its value. */
function awaited(options: readonly Option[], word: string | undefined): Option | undefined {
  const option = options.find(({ short, long }) => word !== undefined && (word === short || word === long));
  return option?.required ? option : undefined;
}

function positionals(options: readonly Option[], given: readonly string[]): number {
  return given.filter((word, at) => !word.startsWith("-") && !awaited(options, given[at - 1])).length;
}

/** Where the words say the cluster is. */
function whereOf(options: readonly Option[], given: readonly string[]): ClusterOptions {
  const entries = given.flatMap((word, at) => {
    const value = given[at + 1];
    const option = awaited(options, word);
    return option && value !== undefined ? [[option.attributeName(), value] as const] : [];
  });
  const { namespace, context, kubeconfig } = Object.fromEntries(entries);
  return {
    ...(namespace ? { namespace } : {}),
    ...(context ? { context } : {}),
    ...(kubeconfig ? { kubeconfig } : {}),
  };
}
