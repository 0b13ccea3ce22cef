import { type Correction, MAX_CORRECTIONS, type Review } from "../crd/agentworkload.ts";
import { canonicalJson } from "./canonical.ts";
import { itemName, quoted } from "./correction-text.ts";
import type { Decision, Finding, MadeCorrection } from "./findings.ts";
import type { Run } from "./run.ts";
import type { Summary } from "./summary.ts";

// A reviewer may strike, correct or comment single facts of the findings, whatever they decide. The findings stay what was seen, and so does
// their digest; corrections are part of the decision. After an approval, what they mean is up to the steps after the gate; with a request for
// changes they go to the steps that run again; with a rejection they say why. The next review has them beside the facts. No condition or
// allow-list depends on them.

/** Characters of a decision's corrections as JSON: they stand in the workload's status. */
export const MAX_CORRECTIONS_LENGTH = 32_768;

/** Whether the correction is of a fact of this finding. */
export function isOfFinding({ step, item }: Pick<Correction, "step" | "item">, finding: Finding): boolean {
  return finding.step === step && itemName(finding.item) === item;
}

export interface CorrectableFindings {
  readonly results: readonly Finding[];
  readonly carried?: readonly MadeCorrection[] | undefined;
}

const nameOf = ({ step, item, fact }: Correction): string => canonicalJson([step, item ?? null, fact]);

/** What is known of facts after a decision: what it says of them, and of others what was carried over from an earlier review. */
export function madeCorrections(
  { carried = [] }: Pick<CorrectableFindings, "carried">,
  { by, at, corrections = [] }: Pick<Decision, "by" | "at" | "corrections">,
): MadeCorrection[] {
  const own = corrections.flatMap(({ action, ...one }) => (action === "keep" ? [] : [{ ...one, action, by, at }]));
  return [...stillCarried(carried, corrections), ...own];
}

/** Of what was carried over, that of which nothing else is said. */
export function stillCarried(carried: readonly MadeCorrection[], own: readonly Correction[]): MadeCorrection[] {
  const said = new Set(own.map(nameOf));
  return carried.filter((one) => !said.has(nameOf(one)));
}

/** Of an earlier run's corrections: of more, the latest are remembered. */
export const MAX_CARRIED = 500;

/**
 * What an earlier review said. `carried`: of facts that these findings have with the same value; it counts. `noted`: of facts whose value
 * is another one since; it is shown.
 */
export function carryOver(
  before: readonly MadeCorrection[],
  findings: readonly Finding[],
  summaries: ReadonlyMap<Finding, Summary>,
): Record<"carried" | "noted", MadeCorrection[]> {
  const fits = (one: MadeCorrection): boolean => problemOf(one, { results: findings }, summaries) === undefined;
  const isThere = (one: MadeCorrection): boolean => factOf(one, findings, summaries) !== undefined;
  return {
    carried: before.filter(fits).slice(-MAX_CARRIED),
    noted: before.filter((one) => !fits(one) && isThere(one)).slice(-MAX_CARRIED),
  };
}

function factOf(
  one: Correction,
  findings: readonly Finding[],
  summaries: ReadonlyMap<Finding, Summary>,
): Summary["facts"][number] | undefined {
  const finding = findings.find((each) => isOfFinding(one, each));
  return finding && summaries.get(finding)?.facts.find(({ id }) => id === one.fact);
}

type DecidedReview = Review & Pick<Decision, "by" | "at">;

/**
 * Where a gate's findings have from what was said before. `opened`: the review of this run that they were opened with, or that of an earlier
 * run of its spec. `last`: before it is opened, the workload's last review of the gate, unless it was approved: that decision is then past.
 * @param reviews of this gate, in runs of the workload
 */
export function reviewsBefore(
  { run, earlier, changes }: Pick<Run, "run" | "earlier" | "changes">,
  reviews: readonly Review[],
): { readonly opened?: Review; readonly last?: DecidedReview } {
  // With the changes that it asked for, the gate opens anew.
  const isAnswered = ({ gate, digest }: Review): boolean =>
    changes.some((one) => one.gate === gate && one.digest === digest);
  const own = reviews.find((one) => one.run === run && !isAnswered(one));
  const opened = own ?? reviews.find((one) => earlier.includes(one.run) && !isAnswered(one));
  if (opened) return { opened };
  const decided = reviews.filter((one): one is DecidedReview => one.decision !== undefined && one.at !== undefined);
  const last = decided.toSorted((a, b) => a.at.localeCompare(b.at)).at(-1);
  return last && last.decision !== "approved" ? { last } : {};
}

/** Decisions with equal ones are the same decision. */
export function sameCorrections(a: readonly Correction[] = [], b: readonly Correction[] = []): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

/**
 * Why a decision on these findings cannot have these corrections, as a sentence that names the first that is wrong; undefined: it can.
 * @param summaries of the findings that they are about; of one without a summary that can be shown there is none
 */
export function correctionProblem(
  corrections: readonly Correction[],
  findings: CorrectableFindings,
  summaries: ReadonlyMap<Finding, Summary>,
): string | undefined {
  const limit = limitProblem(corrections);
  if (limit !== undefined) return limit;
  const known = new Set<string>();
  for (const one of corrections) {
    const name = nameOf(one);
    const problem = known.has(name) ? "it is corrected twice" : problemOf(one, findings, summaries);
    if (problem !== undefined) return `${titleOf(one)}: ${problem}`;
    known.add(name);
  }
  return undefined;
}

/** Why one decision cannot have as many, as a sentence. */
export function limitProblem(corrections: readonly Correction[]): string | undefined {
  if (corrections.length > MAX_CORRECTIONS)
    return `a decision has at most ${MAX_CORRECTIONS} corrections, and these are ${corrections.length}`;
  const { length } = JSON.stringify(corrections);
  if (length <= MAX_CORRECTIONS_LENGTH) return undefined;
  return `the corrections have ${length} characters of JSON, and at most ${MAX_CORRECTIONS_LENGTH} are taken: make them fewer or shorter`;
}

function problemOf(
  correction: Correction,
  { results, carried = [] }: CorrectableFindings,
  summaries: ReadonlyMap<Finding, Summary>,
): string | undefined {
  const { of, action, value, comment } = correction;
  const finding = results.find((one) => isOfFinding(correction, one));
  if (!finding) return "the gate shows no such finding";
  if (!summaries.has(finding)) return "this finding has no summary whose facts could be corrected";
  const fact = factOf(correction, results, summaries);
  if (!fact) return "this finding has no such fact";
  if (fact.value !== of) return `its value is ${quoted(fact.value)}, and not ${quoted(of)}: read the review again`;
  if (action === "correct" && !value?.trim()) return "correct needs a value";
  if (action !== "correct" && value !== undefined) return `${action} has no value`;
  if (action === "keep" && !carried.some((one) => nameOf(one) === nameOf(correction)))
    return "nothing was carried over that keep would drop";
  if (action === "comment" && !comment?.trim()) return "comment needs a comment";
  return undefined;
}

function titleOf({ step, item, fact }: Correction): string {
  return `fact ${quoted(fact)} of step ${quoted(step)}${item === undefined ? "" : `, item ${quoted(item)}`}`;
}
