import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Runs kubectl against the cluster that is deployed to: what it prints. @throws Error with what it said */
export type Kubectl = (args: readonly string[], input?: string) => Promise<string>;

export function kubectlAt(program: string, kubeconfig: string): Kubectl {
  return async (args, input) => {
    const running = promisify(execFile)(program, ["--kubeconfig", kubeconfig, ...args], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    running.child.stdin?.on("error", () => undefined);
    running.child.stdin?.end(input ?? "");
    try {
      return (await running).stdout;
    } catch (error) {
      const { stderr, code } = error as { stderr?: string; code?: string };
      if (code === "ENOENT") throw new Error(`${program} is missing: install kubectl`);
      throw new Error(stderr?.trim() || String(error), { cause: error });
    }
  };
}
