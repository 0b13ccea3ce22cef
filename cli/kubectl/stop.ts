import { hasEnded } from "../../engine/status-text.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster } from "./cluster.ts";
import { missing } from "./describe.ts";

/** `kubectl agentic stop`: ends a run. @returns the exit code */
export async function stop(cluster: Cluster, name: string): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const { spec, status } = workload;
  if (hasEnded(workload)) process.stdout.write(`${name} has ended already: ${status?.phase}\n`);
  else if (spec.stop) process.stdout.write(`${name} is already being stopped\n`);
  else {
    await cluster.edit(name, { stop: true });
    process.stdout.write(
      `${name} stopped: no step starts, running ones finish. Try it again with: kubectl agentic resume ${name} -n ${cluster.namespace}\n`,
    );
  }
  return EXIT.succeeded;
}
