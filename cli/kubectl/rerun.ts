import { hasEnded } from "../../engine/status-text.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { missing } from "./describe.ts";

/** `kubectl agentic rerun`: another run of the same spec. @returns the exit code */
export async function rerun(
  cluster: Cluster,
  name: string,
  { from }: { readonly from?: string },
  now: Date,
): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const planned = planRerun(workload, from, now);
  if ("problem" in planned) {
    process.stderr.write(`kubectl agentic: ${planned.problem}\n`);
    return EXIT.failed;
  }
  await cluster.edit(name, planned.change);
  const reused = from === undefined ? "" : ` from step ${from} on; the results of the steps before it are reused`;
  process.stdout.write(
    `${name} runs again${reused}. Follow it with: kubectl agentic watch ${name} -n ${cluster.namespace}\n`,
  );
  return EXIT.succeeded;
}

/** The change of the spec, as a merge patch: null takes away what an earlier rerun said. */
export function planRerun(
  workload: Pick<SeenWorkload, "metadata" | "status"> & { readonly spec: Pick<SeenWorkload["spec"], "rerun"> },
  from: string | undefined,
  now: Date,
): { readonly change: object } | { readonly problem: string } {
  const { metadata, spec, status = {} } = workload;
  const { name } = metadata;
  const { phase = "Pending", steps = [], finishedAt } = status;
  if (!hasEnded(workload)) return { problem: `${name} has not ended (${phase}): stop it first, or let it end` };
  const names = steps.map((step) => step.name);
  if (from !== undefined && !names.includes(from))
    return { problem: `there is no step ${from} in ${name}; the steps are ${names.join(", ")}` };
  // This machine's clock may be behind the cluster's, whose engine counts whole seconds; and the same time again would be the same run.
  const after = [finishedAt, spec.rerun?.at].map((time) => (time === undefined ? 0 : Date.parse(time) + 1000));
  const at = new Date(Math.max(now.getTime(), ...after));
  return { change: { stop: false, rerun: { at: at.toISOString(), from: from ?? null } } };
}
