import { isArtifactOf } from "../../engine/artifact-key.ts";
import { hasEnded } from "../../engine/status-text.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster } from "./cluster.ts";
import { missing } from "./describe.ts";

/** `kubectl agentic evidence`: the signed statement of what a run did, for `agentic verify`. @returns the exit code */
export async function evidence(cluster: Cluster, name: string): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const { evidence: key } = workload.status ?? {};
  if (key === undefined || !isArtifactOf(workload.metadata, key)) {
    const why = hasEnded(workload) ? "its cluster signs none, or it has expired" : "its run has not ended";
    process.stderr.write(`kubectl agentic: ${name} has no evidence: ${why}\n`);
    return EXIT.failed;
  }
  process.stdout.write(await cluster.artifacts.get(workload.metadata, key));
  return EXIT.succeeded;
}
