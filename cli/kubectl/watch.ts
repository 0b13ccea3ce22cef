import { setTimeout as sleep } from "node:timers/promises";
import { hasEnded, troubleOf } from "../../engine/status-text.ts";
import { EXIT } from "../exit-code.ts";
import { openProgram } from "../open-program.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { failuresOf, missing } from "./describe.ts";
import { serveRuns } from "./runs-page.ts";
import { runTree } from "./tree.ts";

const LOOK_MS = 1000;

export interface WatchOptions {
  readonly open?: boolean;
  readonly allNamespaces?: boolean;
}

/** `kubectl agentic watch --open`: the pages of runs in a browser, until Ctrl-C. @param name whose page is shown; absent: the list's */
export async function watchInBrowser(
  cluster: Cluster,
  clusterOf: (namespace: string) => Cluster,
  name: string | undefined,
  { allNamespaces: all = false }: WatchOptions,
): Promise<number> {
  if (name !== undefined && !(await cluster.workload(name))) return missing(cluster, name);
  const list = await serveRuns(cluster, clusterOf, { all });
  const url = name === undefined ? list : `${list}/${cluster.namespace}/${name}`;
  process.stderr.write(`The runs are at ${url}\nCtrl-C ends it.\n`);
  await openProgram(url);
  return new Promise(() => undefined);
}

/** `kubectl agentic watch`: a line with each change until the run ends, then the run as a tree. @returns the exit code, as the run ended */
export async function watch(cluster: Cluster, name: string): Promise<number> {
  let before = "";
  for (;;) {
    const workload = await cluster.workload(name);
    if (!workload) return missing(cluster, name);
    const line = lineOf(workload);
    if (line !== before) process.stdout.write(`${new Date().toISOString().slice(11, 19)}  ${line}\n`);
    before = line;
    if (hasEnded(workload)) {
      process.stdout.write(runTree(workload, await failuresOf(cluster, workload)));
      return workload.status?.phase === "Succeeded" ? EXIT.succeeded : EXIT.failed;
    }
    await sleep(LOOK_MS);
  }
}

function lineOf({ status = {} }: SeenWorkload): string {
  const { phase = "Pending", steps = [], reviews = [], usage } = status;
  const open = reviews.filter(({ decision }) => decision === undefined).map(({ gate }) => `gate ${gate} waits`);
  const trouble = troubleOf(status);
  return [
    phase,
    ...steps.flatMap(({ name, total, succeeded, failed }) => {
      if (total === 0) return [];
      return [`${name} ${succeeded}/${total}${failed > 0 ? ` (${failed} failed)` : ""}`];
    }),
    ...open,
    ...(usage ? [`$${usage.costUsd}`] : []),
    ...(trouble ? [`${trouble.reason}: ${trouble.message}`] : []),
  ].join("  ");
}
