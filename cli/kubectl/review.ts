import type { Summary } from "../../engine/summary.ts";
import { createReviewLoader } from "../../functions/approve/load.ts";
import type { SummaryView } from "../../functions/approve/summary-view.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { EXIT } from "../exit-code.ts";
import { openProgram } from "../open-program.ts";
import type { Cluster } from "./cluster.ts";
import { missing } from "./describe.ts";
import { serveReview } from "./review-page.ts";
import { reviewText } from "./review-text.ts";

export interface ReviewOptions {
  readonly gate?: string;
  readonly open?: boolean;
  readonly output: "text" | "json";
}

/** `kubectl agentic review`: what a gate is about. With `open` it ends with Ctrl-C. @returns the exit code */
export async function review(
  cluster: Cluster,
  name: string,
  { gate, open = false, output }: ReviewOptions,
): Promise<number> {
  const workload = await cluster.workload(name);
  if (!workload) return missing(cluster, name);
  const found = recordToShow(await cluster.reviews.list(workload.metadata), gate);
  if ("problem" in found) {
    process.stderr.write(`kubectl agentic: ${found.problem}; the run is ${workload.status?.phase ?? "Pending"}\n`);
    return EXIT.failed;
  }
  const { record } = found;
  if (open) {
    const url = await serveReview(cluster, workload, record);
    process.stderr.write(`The review is at ${url}\nCtrl-C ends it.\n`);
    await openProgram(url);
    return new Promise(() => undefined);
  }
  const view = await createReviewLoader(cluster.artifacts).load(record);
  const findings = view.items.map(({ finding, summary, problem }) => ({
    ...finding,
    ...(summary ? { summary: asPublished(summary) } : {}),
    ...(problem ? { problem } : {}),
  }));
  const asJson = {
    ...record.workload,
    ...record.review,
    inputs: view.findings.inputs,
    findings,
    carried: view.findings.carried,
    noted: view.findings.noted,
  };
  process.stdout.write(output === "json" ? `${JSON.stringify(asJson, null, 2)}\n` : reviewText(view));
  return EXIT.succeeded;
}

/** As engine/summary.ts has it, and not as the page orders it. */
function asPublished({ title, subtitle, single, groups, pictures, caveats }: SummaryView): Summary {
  const facts = [...single, ...groups.flatMap((group) => group.facts)];
  return {
    title,
    ...(subtitle === undefined ? {} : { subtitle }),
    facts,
    pictures: [...pictures],
    caveats: [...caveats],
  };
}

/** The one of the gate that was named; else the one that waits, or the last that was decided. */
function recordToShow(
  records: readonly ReviewRecord[],
  gate: string | undefined,
): { readonly record: ReviewRecord } | { readonly problem: string } {
  const gates = records.map(({ review }) => review.gate).join(", ");
  if (gate !== undefined) {
    const named = records.findLast(({ review }) => review.gate === gate);
    return named
      ? { record: named }
      : { problem: `gate ${gate} has not opened${gates ? `; these have: ${gates}` : ""}` };
  }
  const waiting = records.filter(({ review }) => review.decision === undefined);
  if (waiting.length > 1)
    return {
      problem: `several gates wait: choose one by --gate, of ${waiting.map(({ review }) => review.gate).join(", ")}`,
    };
  const record = waiting[0] ?? records.at(-1);
  return record ? { record } : { problem: "no gate has opened" };
}
