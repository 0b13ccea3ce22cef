import type { Analysis, Evidence } from "./analysis.ts";
import { describePrice } from "./price.ts";

/** One statement of an analysis that a reviewer can strike or correct, a report cites and the next run compares. */
export interface Claim {
  /** Unique in its analysis, and the same in the next run as long as the page says it of the same thing: "offers/pro", "proof/trusted-by-9-000-teams". */
  readonly id: string;
  readonly field: ClaimField;
  /** What it is about: an offer's name; for what names nothing, the field. */
  readonly subject: string;
  /** In words, as a person would correct it: "$29 per user a month". */
  readonly value: string;
  readonly evidence: Evidence;
  /** Where a call to action leads. */
  readonly target?: string;
}

export type ClaimField = "positioning" | "audience" | "offers" | "callsToAction" | "proof" | "technology";

/** All claims of one page, in the order of its analysis. */
export function claimsOf(analysis: Analysis): Claim[] {
  const { positioning, audience, offers, callsToAction, proof, technology } = analysis;
  const stated = (field: ClaimField, { value, evidence }: { value: string; evidence: Evidence }) => ({
    field,
    subject: field,
    value,
    evidence,
  });
  const claims: Omit<Claim, "id">[] = [
    ...(positioning ? [stated("positioning", positioning)] : []),
    ...audience.map((one) => stated("audience", one)),
    ...offers.map(({ name, price, evidence }) => ({
      field: "offers" as const,
      subject: name,
      value: price ? describePrice(price) : "no price named",
      evidence,
    })),
    ...callsToAction.map(({ text, target, evidence }) => ({
      ...stated("callsToAction", { value: text, evidence }),
      ...(target === undefined ? {} : { target }),
    })),
    ...proof.map((one) => stated("proof", one)),
    ...technology.map((one) => stated("technology", one)),
  ];
  const seen = new Map<string, number>();
  return claims.map((claim) => {
    const id = idOf(claim);
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    return { id: count === 1 ? id : `${id}~${count}`, ...claim };
  });
}

/** A claim as a reviewer sees it: the value of its fact. */
export function statementOf({ field, subject, value, evidence: { pressed } }: Claim): string {
  const where = pressed === undefined ? "" : ` (after pressing “${pressed}”)`;
  return (field === "offers" ? `${subject}: ${value}` : value) + where;
}

const MAX_SLUG = 80;

/** A page makes one main claim, so that its words may change; an offer keeps its name when its price changes. */
function idOf({ field, subject, value }: Omit<Claim, "id">): string {
  if (field === "positioning") return field;
  const words = (field === "offers" ? subject : value).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  return `${field}/${words.replace(/^-|-$/g, "").slice(0, MAX_SLUG).toWellFormed()}`;
}
