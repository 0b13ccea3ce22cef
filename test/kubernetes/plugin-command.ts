import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

export const PLUGIN = fileURLToPath(new URL("../../cli/kubectl-agentic.ts", import.meta.url));

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `kubectl agentic ARGS`, as its user types it. */
export function agentic(kubeconfig: string, namespace: string, args: readonly string[]): Promise<Said> {
  const all = [PLUGIN, ...args, "-n", namespace, "--kubeconfig", kubeconfig];
  return new Promise((resolve) => {
    execFile(process.execPath, all, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}
