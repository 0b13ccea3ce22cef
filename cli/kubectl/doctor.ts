import { readFacts } from "../../functions/setup/facts.ts";
import { canRun, findingText, preflight } from "../../functions/setup/preflight.ts";
import { kubeConfig } from "../../lib/edges/kube-calls.ts";
import { connectFacts } from "../../lib/edges/kube-facts.ts";
import { EXIT } from "../exit-code.ts";
import type { ClusterOptions } from "./cluster.ts";

/** `kubectl agentic doctor`: what the cluster lacks, each with the command that brings it; for administrators. @returns the exit code */
export async function doctor({
  kubeconfig: file,
  context,
  output,
}: Omit<ClusterOptions, "namespace"> & { readonly output: "text" | "json" }): Promise<number> {
  const findings = preflight(await readFacts(connectFacts(kubeConfig({ file, context }))));
  const ok = canRun(findings);
  if (output === "json") process.stdout.write(`${JSON.stringify({ ok, findings }, null, 2)}\n`);
  else for (const finding of findings) process.stdout.write(findingText(finding));
  return ok ? EXIT.succeeded : EXIT.failed;
}
