import { moneyPer } from "./price.ts";
import type { Competitor, Dossier } from "./report.ts";

/** The sites side by side. */
export interface MatrixRow {
  readonly id: string;
  readonly label: string;
  readonly offers: number;
  /** Of a month, in words; undefined without one. */
  readonly entry: string | undefined;
  readonly free: boolean;
  /** How long a free trial is, "yes" where no page says it; undefined without one. */
  readonly trial: string | undefined;
  readonly guarantee: boolean;
  readonly proof: number;
  readonly features: number;
  readonly primaryCall: string | undefined;
  readonly themes: readonly string[];
}

export function matrixOf({ competitors, currency }: Dossier): MatrixRow[] {
  return competitors.map((c) => ({
    id: c.id,
    label: c.label,
    offers: c.analysis.offers.length,
    entry: c.entryMonthly === null ? undefined : moneyPer(c.entryMonthly, currency, c.entryPer),
    free: c.free,
    trial: trialOf(c),
    guarantee: c.analysis.proof.some(({ kind }) => kind === "guarantee"),
    proof: c.analysis.proof.length,
    features: c.breadth,
    primaryCall: primaryCallOf(c),
    themes: c.themes,
  }));
}

const TRIAL = /\b(free )?trial\b/i;

function trialOf({ analysis: { offers, callsToAction } }: Competitor): string | undefined {
  const days = offers.flatMap(({ trialDays }) => trialDays ?? []);
  if (days.length) return `${Math.max(...days)} days`;
  const said = [...callsToAction.map(({ text }) => text), ...offers.flatMap(({ features }) => features)];
  return said.some((text) => TRIAL.test(text)) ? "yes" : undefined;
}

function primaryCallOf({ analysis: { callsToAction } }: Competitor): string | undefined {
  return (callsToAction.find(({ prominence }) => prominence === "primary") ?? callsToAction[0])?.text;
}
