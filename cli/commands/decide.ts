import { existsSync } from "node:fs";
import { type Decision, decisionSchema, decisionText } from "../../engine/findings.ts";
import { createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createFolderReviews } from "../../lib/edges/reviews/folder.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { createLog } from "../../lib/log.ts";
import { readCorrections } from "../corrections-file.ts";
import { EXIT } from "../exit-code.ts";
import { program } from "../invocation.ts";
import { createApprover, reviewPath, reviewToken } from "../local/approver.ts";
import { signingKey } from "../local/signing-key.ts";
import { defaultFolder, type RunFolder, type RunState, readRunState, runFolder } from "../run-folder.ts";

export interface DecideOptions {
  readonly out?: string;
  readonly gate?: string;
  readonly comment?: string;
  readonly digest?: string;
  /** Of changes: the steps that run again. */
  readonly step?: readonly string[];
  /** A file of what is said of single facts. */
  readonly corrections?: string;
  readonly output: "text" | "json";
}

/** `agentic approve`, `agentic reject` and `agentic changes`: the approve function's own HTTP interface, over the run's folder. */
export async function decide(name: string, decision: Decision["decision"], options: DecideOptions): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const folder = runFolder(options.out ?? defaultFolder(name));
  const { state, problem } = existsSync(folder.state) ? await readRunState(folder) : {};
  const found = state ? await reviewToDecide(folder, state, options.gate) : { problem: problem ?? NO_RUN };
  if (!state || "problem" in found) {
    say(`agentic: no review to decide in ${folder.path}: ${"problem" in found ? found.problem : NO_RUN}`);
    return EXIT.failed;
  }
  const { record } = found;
  const words = decisionText(decision);
  const read = options.corrections === undefined ? undefined : await readCorrections(options.corrections);
  if (read && "problem" in read) {
    say(`agentic: not ${words}: ${read.problem}`);
    return EXIT.invalid;
  }
  const keys = await signingKey(folder.key);
  const app = createApprover({
    reviews: createFolderReviews(folder.reviews),
    artifacts: createFolderArtifacts(folder.artifacts),
    publicKey: keys.publicKey,
    log: createLog("approve", process.env["LOG_LEVEL"] ?? "silent"),
    draining: new AbortController().signal,
  });
  const response = await app.request(reviewPath(record), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${await reviewToken(keys.privateKey, record, "CommandLine")}`,
    },
    body: JSON.stringify({
      decision,
      digest: options.digest ?? record.review.digest,
      ...(options.comment === undefined ? {} : { comment: options.comment }),
      ...(options.step === undefined ? {} : { steps: options.step }),
      ...read,
    }),
  });
  const body: unknown = await response.json();
  if (response.status !== 200) {
    say(`agentic: not ${words}: ${(body as { message?: string }).message ?? response.status}`);
    return EXIT.failed;
  }
  if (options.output === "json") process.stdout.write(`${JSON.stringify(body, null, 2)}\n`);
  else {
    const { gate, by, at, digest } = decisionSchema.parse(body);
    process.stdout.write(`gate ${gate} ${words} by ${by} at ${at}, findings ${digest.slice(0, 16)}\n`);
    if (state.phase !== "AwaitingReview") say(`No command works on the run now; continue it with: ${state.command}`);
  }
  return EXIT.succeeded;
}

const NO_RUN = `there is no run; start one with: ${program()} run FILE`;

/** The review that waits, or the one of the gate that was named. */
async function reviewToDecide(
  folder: RunFolder,
  { workload, run, phase }: RunState,
  gate: string | undefined,
): Promise<{ record: ReviewRecord } | { problem: string }> {
  const all = await createFolderReviews(folder.reviews).list(workload);
  const records = all.filter(({ review }) => review.run === run);
  const waiting = records.filter(({ review }) => review.decision === undefined);
  // A decided one, too: the approve function then says who decided it.
  const named = gate === undefined ? waiting : records.filter(({ review }) => review.gate === gate);
  const names = waiting.map(({ review }) => review.gate).join(", ");
  const [record, second] = named;
  if (second) return { problem: `several gates wait: choose one by --gate, of ${names}` };
  if (record && !record.review.decision && Date.parse(record.review.timeoutAt) <= Date.now()) {
    const { gate: name, timeoutAt, onTimeout } = record.review;
    return { problem: `gate ${name} timed out at ${timeoutAt}, and onTimeout (${onTimeout}) decides it` };
  }
  if (record) return { record };
  if (gate !== undefined && waiting.length > 0) return { problem: `gate ${gate} does not wait; these do: ${names}` };
  return { problem: gate === undefined ? `no gate waits, the run is ${phase}` : `gate ${gate} has not opened` };
}
