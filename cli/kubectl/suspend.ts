import { EXIT } from "../exit-code.ts";
import type { Cluster } from "./cluster.ts";
import { missing } from "./describe.ts";

/** `kubectl agentic suspend` and `resume`: spec.suspend of the workload. @returns the exit code */
export async function suspend(cluster: Cluster, name: string, held: boolean): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const isHeld = workload.spec.suspend;
  if (isHeld !== held) await cluster.suspend(name, held);
  const said = held ? "suspended: no step starts, running ones finish" : "resumed";
  process.stdout.write(`${name} ${isHeld === held ? `is already ${held ? "suspended" : "running on"}` : said}\n`);
  return EXIT.succeeded;
}
