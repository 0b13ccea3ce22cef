import { type Correction, MAX_CORRECTIONS } from "../crd/agentworkload.ts";
import { canonicalJson } from "./canonical.ts";
import type { Decision, Finding, MadeCorrection } from "./findings.ts";
import type { Item } from "./result.ts";
import type { Summary } from "./summary.ts";

// A reviewer may strike, correct or comment single facts of the findings that they approve. The findings stay what was seen, and so does
// their digest; corrections are part of the decision, and what they mean is up to the steps after the gate. No condition, input or
// allow-list depends on them.

/** Characters of a decision's corrections as JSON: they stand in the workload's status. */
export const MAX_CORRECTIONS_LENGTH = 32_768;

/** How a correction names an item; undefined: the step has none. */
export function itemName(item: Item | undefined): string | undefined {
  return item === undefined || typeof item === "string" ? item : canonicalJson(item);
}

/** Whether the correction is of a fact of this finding. */
export function isOfFinding({ step, item }: Pick<Correction, "step" | "item">, finding: Finding): boolean {
  return finding.step === step && itemName(finding.item) === item;
}

export interface CorrectableFindings {
  readonly results: readonly Finding[];
  readonly carried?: readonly MadeCorrection[] | undefined;
}

const nameOf = ({ step, item, fact }: Correction): string => canonicalJson([step, item ?? null, fact]);

/** What counts after a decision: what it says of facts, and of others what was carried over from an earlier review. */
export function madeCorrections(
  { carried = [] }: Pick<CorrectableFindings, "carried">,
  { decision, by, at, corrections = [] }: Pick<Decision, "decision" | "by" | "at" | "corrections">,
): MadeCorrection[] {
  if (decision !== "approved") return [];
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

/** What an earlier review said of facts that these findings have with the same value. */
export function carryOver(
  before: readonly MadeCorrection[],
  findings: readonly Finding[],
  summaries: ReadonlyMap<Finding, Summary>,
): MadeCorrection[] {
  return before.filter((one) => problemOf(one, { results: findings }, summaries) === undefined).slice(-MAX_CARRIED);
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
  decision: Decision["decision"],
  corrections: readonly Correction[],
  findings: CorrectableFindings,
  summaries: ReadonlyMap<Finding, Summary>,
): string | undefined {
  if (decision !== "approved")
    return "only an approval has corrections: remove them, and say in the comment what is wrong";
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
  const { fact: id, of, action, value, comment } = correction;
  const finding = results.find((one) => isOfFinding(correction, one));
  if (!finding) return "the gate shows no such finding";
  const facts = summaries.get(finding)?.facts;
  if (!facts) return "this finding has no summary whose facts could be corrected";
  const fact = facts.find((one) => one.id === id);
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

const MAX_QUOTED = 100;

function quoted(text: string): string {
  return JSON.stringify(text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text);
}
