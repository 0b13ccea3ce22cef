import { expect, test } from "vitest";
import { createProgram } from "../../../cli/kubectl/program.ts";

const program = createProgram(() => {
  throw new Error("nothing is asked of a cluster");
});
/** They ask no cluster. */
const OFFLINE = new Set(["completion", "help"]);

test.each(
  program.commands
    .filter((command) => !OFFLINE.has(command.name()))
    .map((command) => [command.name(), command] as const),
)("%s takes a namespace, a context and a kubeconfig, as kubectl does", (_name, command) => {
  const options = command.options.map(({ long }) => long);
  expect(options).toEqual(expect.arrayContaining(["--namespace", "--context", "--kubeconfig"]));
});
