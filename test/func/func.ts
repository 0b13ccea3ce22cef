import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { bin } from "../cluster/context.ts";
import { output, type Ran, ROOT, run } from "./command.ts";

/** `func …` in a folder. */
export type Func = (cwd: string, ...args: string[]) => Promise<Ran>;

/** For the hook that finds func: on two busy cores its build takes ten minutes. */
export const BUILD_MS = 30 * 60_000;

/** Knative's own CLI: built from source when it is not cached, which is told line by line. */
export async function findFunc(home: string): Promise<Func> {
  const path = bin("func");
  if (!existsSync(path)) await build();
  // A home of its own, and no cluster: nothing of the machine's is read or asked.
  const env = { HOME: home, XDG_CONFIG_HOME: home, KUBECONFIG: join(home, "no-kubeconfig") };
  return (cwd, ...args) => run(path, args, { cwd, env });
}

async function build(): Promise<void> {
  await output("go", ["version"], { cwd: ROOT }).catch((cause: unknown) => {
    throw new Error(
      "the tests of func need its CLI, which is built from source, and Go is missing: install Go (test/cluster/modules/func/go.mod says which) and run this again",
      { cause },
    );
  });
  const builder = spawn(process.execPath, [join(ROOT, "test/cluster/main.ts"), "build", "func"], { stdio: "inherit" });
  const [code] = await once(builder, "exit");
  if (code !== 0) throw new Error("the func CLI could not be built: what Go said is above");
}
