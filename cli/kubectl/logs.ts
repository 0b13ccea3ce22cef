import { setTimeout as sleep } from "node:timers/promises";
import { SHARED_NAMESPACE } from "../../engine/freeze.ts";
import { hasEnded } from "../../engine/status-text.ts";
import type { PodLine } from "../../lib/edges/pod-logs.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster } from "./cluster.ts";
import { missing } from "./describe.ts";
import { linesOf, lineText } from "./log-lines.ts";

export interface LogsOptions {
  readonly step?: string;
  readonly follow?: boolean;
  readonly output: "text" | "json";
}

const LOOK_MS = 2000;
/** Lines that were written before a look, and not there yet. */
const OVERLAP_SECONDS = 10;

/** `kubectl agentic logs`: what the functions wrote of a workload, merged by time. @returns the exit code */
export async function logs(
  cluster: Cluster,
  name: string,
  { step, follow = false, output }: LogsOptions,
): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const { namespace, createdAt } = workload.metadata;
  let sinceSeconds = Math.ceil((Date.now() - Date.parse(createdAt)) / 1000) + OVERLAP_SECONDS;
  let before: ReadonlySet<string> = new Set();
  for (let look = 0; ; look++) {
    const at = Date.now();
    // Looked at first: what is written until the run has ended is read after it.
    const last = !follow || isOver(await cluster.workload(name));
    const { lines, refused } = await read(cluster, namespace, sinceSeconds);
    if (look === 0 && refused.length > 0) process.stderr.write(`kubectl agentic: ${refusal(refused)}\n`);
    if (!lines) return EXIT.failed;
    const fresh = lines.filter((line) => !before.has(keyOf(line)));
    for (const line of linesOf(fresh, { namespace, name, step }))
      process.stdout.write(`${output === "json" ? JSON.stringify(line) : lineText(line)}\n`);
    if (last) return EXIT.succeeded;
    before = new Set(lines.map(keyOf));
    await sleep(LOOK_MS);
    sinceSeconds = Math.ceil((Date.now() - at) / 1000) + OVERLAP_SECONDS;
  }
}

const isOver = (workload: Awaited<ReturnType<Cluster["workload"]>>): boolean => !workload || hasEnded(workload);
const keyOf = ({ pod, text }: PodLine): string => `${pod} ${text}`;

/** Shared functions are in agentic-system, agents of one's own in their namespace. */
async function read(
  cluster: Cluster,
  namespace: string,
  sinceSeconds: number,
): Promise<{ readonly lines?: PodLine[]; readonly refused: readonly string[] }> {
  const places = [...new Set([namespace, SHARED_NAMESPACE])];
  const all = await Promise.all(
    places.map(async (place) => ({ place, read: await cluster.logs(place, sinceSeconds) })),
  );
  const refused = all.flatMap(({ place, read: lines }) => (lines ? [] : [place]));
  return refused.length === places.length
    ? { refused }
    : { refused, lines: all.flatMap(({ read: lines }) => lines ?? []) };
}

function refusal(namespaces: readonly string[]): string {
  const where = namespaces.join(" and ");
  return `you may not read the logs of ${where}: what functions there wrote is left out. An administrator lets you by a RoleBinding to the ClusterRole view there`;
}
