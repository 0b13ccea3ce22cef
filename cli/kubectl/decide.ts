import type { Review } from "../../crd/agentworkload.ts";
import { notChangeable } from "../../engine/changes.ts";
import { sameCorrections } from "../../engine/corrections.ts";
import { type Decision, decisionText } from "../../engine/findings.ts";
import { waitingReviews } from "../../engine/status-text.ts";
import { readCorrections } from "../corrections-file.ts";
import { EXIT } from "../exit-code.ts";
import type { Cluster, SeenWorkload } from "./cluster.ts";
import { makeDecision } from "./make-decision.ts";

export interface DecideOptions {
  readonly gate?: string;
  readonly comment?: string;
  readonly digest?: string;
  /** Of changes: the steps that run again. */
  readonly step?: readonly string[];
  /** A file of what is said of single facts. */
  readonly corrections?: string;
  readonly output: "text" | "json";
}

/** `kubectl agentic approve`, `kubectl agentic reject` and `kubectl agentic changes`: an AgentDecision, and the wait until it counts. @returns the exit code */
export async function decide(
  cluster: Cluster,
  name: string,
  decision: Decision["decision"],
  { gate, comment, digest, step: steps, corrections: file, output }: DecideOptions,
): Promise<number> {
  const say = (line: string): void => void process.stderr.write(`kubectl agentic: ${line}\n`);
  const workload = await cluster.workload(name);
  if (!workload) {
    say(`there is no AgentWorkload ${name} in namespace ${cluster.namespace}`);
    return EXIT.failed;
  }
  const found = reviewToDecide(workload, gate);
  if ("problem" in found) {
    say(found.problem);
    return EXIT.failed;
  }
  const { review } = found;
  if (digest !== undefined && digest !== review.digest) {
    say(`not ${decisionText(decision)}: the findings of gate ${review.gate} have the digest ${review.digest} now`);
    return EXIT.failed;
  }
  const wrong = decision === "changesRequested" ? notChangeable(review, steps) : undefined;
  if (wrong !== undefined) {
    say(wrong);
    return EXIT.failed;
  }
  const read = file === undefined ? undefined : await readCorrections(file);
  if (read && "problem" in read) {
    say(`not ${decisionText(decision)}: ${read.problem}`);
    return EXIT.invalid;
  }
  const corrections = read?.corrections;
  const by = await cluster.whoAmI();
  const made = await makeDecision(cluster, workload, review, { decision, by, comment, steps, corrections });
  if (!made) {
    say(`made, but not taken yet: 'kubectl -n ${cluster.namespace} get aw ${name}' says why`);
    return EXIT.interrupted;
  }
  if ("refused" in made) {
    say(`not ${decisionText(decision)}: ${made.refused}`);
    return EXIT.failed;
  }
  const { taken } = made;
  if (output === "json") process.stdout.write(`${JSON.stringify(taken, null, 2)}\n`);
  else process.stdout.write(`gate ${taken.gate} ${decisionText(taken.decision)} by ${taken.by} at ${taken.at}\n`);
  if (taken.by === by && taken.decision === decision && sameCorrections(taken.corrections, corrections))
    return EXIT.succeeded;
  say("somebody else decided before");
  return EXIT.failed;
}

/** The review that waits, or the one of the gate that was named. */
function reviewToDecide(workload: SeenWorkload, gate: string | undefined): { review: Review } | { problem: string } {
  const { phase = "Pending", reviews = [] } = workload.status ?? {};
  const waiting = waitingReviews(workload);
  const named = gate === undefined ? waiting : waiting.filter((review) => review.gate === gate);
  const names = waiting.map((review) => review.gate).join(", ");
  const [review, second] = named;
  if (second) return { problem: `several gates wait: choose one by --gate, of ${names}` };
  if (review) return { review };
  if (waiting.length > 0) return { problem: `gate ${gate} does not wait; these do: ${names}` };
  const decided = reviews.find((one) => gate === undefined || one.gate === gate);
  if (decided?.decision)
    return { problem: `gate ${decided.gate} was ${decisionText(decided.decision)} by ${decided.by} at ${decided.at}` };
  return { problem: `no gate of ${workload.metadata.name} waits, the run is ${phase}` };
}
