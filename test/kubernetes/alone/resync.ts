import { kubectl } from "../cluster.ts";
import { SYSTEM } from "../workload.ts";

/** What no test lasts until: nothing wakes reconcile but what happens. */
export const NEVER = "0 0 1 1 *";
/** Knative's schedule takes seconds too. Reconcile is never at zero then. */
export const SOON = "*/15 * * * * *";

/** Resyncs at other times than is installed. @returns what brings those back */
export async function resync(schedule: string): Promise<() => Promise<void>> {
  const jsonpath = "jsonpath={.spec.schedule}";
  const before = await kubectl(["-n", SYSTEM, "get", "pingsource", "resync", "-o", jsonpath]);
  await set(schedule);
  return () => set(before);
}

async function set(schedule: string): Promise<void> {
  const patch = JSON.stringify({ spec: { schedule } });
  await kubectl(["-n", SYSTEM, "patch", "pingsource", "resync", "--type=merge", "-p", patch]);
}
