import { join } from "node:path";
import { built } from "../cluster/built.ts";
import { type Ran, run } from "./command.ts";

/** `func …` in a folder. */
export type Func = (cwd: string, ...args: string[]) => Promise<Ran>;

/** Knative's own CLI. */
export async function findFunc(home: string): Promise<Func> {
  const path = join(await built("func"), "func");
  // A home of its own, and no cluster: nothing of the machine's is read or asked.
  const env = { HOME: home, XDG_CONFIG_HOME: home, KUBECONFIG: join(home, "no-kubeconfig") };
  return (cwd, ...args) => run(path, args, { cwd, env });
}
