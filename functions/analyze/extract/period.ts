import type { Price } from "../../../pipeline/analysis.ts";

const PERIODS: readonly (readonly [Price["period"], RegExp])[] = [
  ["hour", /(?:\/|\bper\b|\ban\b|\bpro\b)\s*(?:hour|hr|h|stunde)\b|\bhourly\b/iu],
  ["week", /(?:\/|\bper\b|\ba\b|\bpro\b|\bpar\b)\s*(?:week|wk|woche|semaine)\b|\bweekly\b/iu],
  [
    "month",
    /(?:\/|\bper\b|\ba\b|\beach\b|\bpro\b|\bim\b|\bpar\b|\bal\b|\bpor\b)\s*(?:\w+\s*\/\s*)?(?:month|mo|mth|monat|mois|mes|mese|maand)\b|\bmonthly\b|\bmonatlich\b|\bmensuel/iu,
  ],
  [
    "year",
    /(?:\/|\bper\b|\ba\b|\bpro\b|\bim\b|\bpar\b|\bal\b|\bpor\b)\s*(?:\w+\s*\/\s*)?(?:year|yr|annum|jahr|an|année|año|anno|jaar)\b|\byearly\b|\bannually\b|\bjährlich\b/iu,
  ],
  ["day", /(?:\/|\bper\b|\ba\b|\bpro\b)\s*(?:day|tag|jour)\b|\bdaily\b/iu],
];

const COUNTED =
  /(?:\/|\bper\b|\beach\b|\bpro\b|\bpar\b|\bpor\b)\s*(user|seat|member|employee|person|agent|teammate|location|store|nutzer|benutzer|mitarbeiter|utilisateur|usuario|utente)(?:s|e|en|in)?\b/iu;

const FROM = /(?:\bfrom|\bstarting (?:at|from)|\bstarts at|\bab|\bà partir de|\bdesde|\ba partire da|\bvanaf)\s*$/iu;

/** What the words around a price say of it. `after` decides on the period: a price is followed by it. */
export function readTerms(before: string, after: string): Pick<Price, "period" | "per" | "from"> {
  // The nearest period counts: "$10 per month, billed yearly" is a monthly price.
  const found = PERIODS.map(([period, pattern]) => ({ period, at: after.search(pattern) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at - b.at);
  const per = COUNTED.exec(after)?.[1]?.toLowerCase();
  return {
    period: found[0]?.period ?? "once",
    ...(per ? { per: ENGLISH[per] ?? per } : {}),
    from: FROM.test(before),
  };
}

const ENGLISH: Readonly<Record<string, string>> = {
  nutzer: "user",
  benutzer: "user",
  mitarbeiter: "employee",
  utilisateur: "user",
  usuario: "user",
  utente: "user",
};
