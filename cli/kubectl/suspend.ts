import { EXIT } from "../exit-code.ts";
import type { Cluster } from "./cluster.ts";
import { missing } from "./describe.ts";

/** `kubectl agentic suspend`: lets no step start. @returns the exit code */
export async function suspend(cluster: Cluster, name: string): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  if (workload.spec.suspend) return say(`${name} is already suspended`);
  await cluster.edit(name, { suspend: true });
  return say(`${name} suspended: no step starts, running ones finish`);
}

/** `kubectl agentic resume`: lets a suspended run go on, and tries a stopped one again. @returns the exit code */
export async function resume(cluster: Cluster, name: string): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  if (!workload.spec.suspend && !workload.spec.stop) return say(`${name} is already running on`);
  await cluster.edit(name, { suspend: false, stop: false });
  return say(`${name} resumed`);
}

function say(line: string): number {
  process.stdout.write(`${line}\n`);
  return EXIT.succeeded;
}
