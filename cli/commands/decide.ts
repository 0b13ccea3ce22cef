import { existsSync } from "node:fs";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createFolderReviews } from "../../lib/edges/reviews.ts";
import { createLog } from "../../lib/log.ts";
import { decisionSchema } from "../../pipeline/findings.ts";
import { EXIT } from "../exit-code.ts";
import { program } from "../invocation.ts";
import { createApprover, reviewToken } from "../local/approver.ts";
import { signingKey } from "../local/signing-key.ts";
import { defaultFolder, readRunState, runFolder } from "../run-folder.ts";

export interface DecideOptions {
  readonly out?: string;
  readonly comment?: string;
  readonly digest?: string;
  readonly output: "text" | "json";
}

/** `agentic approve` and `agentic reject`: the approve function's own HTTP interface, over the run's folder. */
export async function decide(name: string, decision: "approved" | "rejected", options: DecideOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const folder = runFolder(options.out ?? defaultFolder(name));
  const state = existsSync(folder.state) ? await readRunState(folder) : undefined;
  const reviews = createFolderReviews(folder.reviews);
  const review = state && (await reviews.read(state.workload));
  if (!review) {
    say(
      `no review waits in ${folder.path}${state ? `: the run is ${state.phase}` : `; start a run with: ${program()} run FILE`}`,
    );
    return EXIT.failed;
  }
  const keys = await signingKey(folder.key);
  const app = createApprover({
    reviews,
    artifacts: createFolderArtifacts(folder.artifacts),
    publicKey: keys.publicKey,
    log: createLog("approve", process.env["LOG_LEVEL"] ?? "silent"),
    draining: new AbortController().signal,
  });
  const response = await app.request(`/review/${review.workload.namespace}/${review.workload.name}`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await reviewToken(keys.privateKey, review)}`,
    },
    body: JSON.stringify({
      decision,
      digest: options.digest ?? review.digest,
      ...(options.comment === undefined ? {} : { comment: options.comment }),
    }),
  });
  const body: unknown = await response.json();
  if (response.status !== 200) {
    say(`agentic: not ${decision}: ${(body as { message?: string }).message ?? response.status}`);
    return EXIT.failed;
  }
  if (options.output === "json") process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  else {
    const { by, at, digest } = decisionSchema.parse(body);
    process.stdout.write(`${decision} by ${by} at ${at}, findings ${digest.slice(0, 16)}\n`);
    if (state.phase !== "AwaitingReview")
      say(`The run is not going on by itself now; go on with: ${state.command ?? `${program()} run ${state.file}`}`);
  }
  return EXIT.succeeded;
}
