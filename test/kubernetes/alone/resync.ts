import { afterAll, beforeAll } from "vitest";
import { kubectl } from "../cluster.ts";
import { SYSTEM } from "../workload.ts";

/** What no test lasts until: nothing wakes reconcile but what happens. */
export const NEVER = "0 0 1 1 *";
/** Knative's schedule takes seconds too. Reconcile is never at zero then. */
export const SOON = "*/15 * * * * *";

/** From the first test of the file to the last, resyncs come at other times than is installed. */
export function resyncForFile(schedule: string): void {
  let installed: string;
  beforeAll(async () => {
    const jsonpath = "jsonpath={.spec.schedule}";
    installed = await kubectl(["-n", SYSTEM, "get", "pingsource", "resync", "-o", jsonpath]);
    await set(schedule);
  });
  afterAll(() => set(installed));
}

async function set(schedule: string): Promise<void> {
  const patch = JSON.stringify({ spec: { schedule } });
  await kubectl(["-n", SYSTEM, "patch", "pingsource", "resync", "--type=merge", "-p", patch]);
}
