import { bin, kubeconfig } from "./context.ts";
import { run } from "./run.ts";

export async function kubectl(args: string[], input?: string): Promise<string> {
  return run(bin("kubectl"), ["--kubeconfig", kubeconfig, ...args], input);
}
