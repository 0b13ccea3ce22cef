import type { Price } from "../../../pipelines/market-analysis/analysis.ts";

type Period = Price["period"];

/** A whole word, in any script. */
const whole = (words: string): RegExp => new RegExp(String.raw`^(?:${words})(?!\p{L})`, "iu");

/** What a price counts, behind "per" or "/". */
const PERIODS: readonly (readonly [Period, RegExp])[] = [
  [
    "month",
    whole(
      "months?|mo|mon(?!\\s*[-–&])|mth|mnth|monat|monate|mois|mes(?:es)?|mês|mese|maand|mån(?:ad)?|måned|mnd|mdr|md|miesiąc|mies|měsíc|kuukausi|kk|месяц|мес|ماه|شهر|月|か月|ヶ月|个月",
    ),
  ],
  ["year", whole("years?|yr|annum|jahr|an|année|año|anno|ano|jaar|år|rok|vuosi|год|سال|سنة|年")],
  ["week", whole("weeks?|wk|woche|semaine|semana|settimana|week|vecka|uge|uke|tydzień|週")],
  ["hour", whole("hours?|hr|h|stunde|std|heure|hora|ora|uur|timme|time|godzin[aę]")],
  ["day", whole("days?|nights?|nacht|nuit|noche|notte|tag|jour|día|dia|giorno|dag|dzień|日")],
];
/** Words that say the period by themselves. */
const ADVERBS: readonly (readonly [Period, RegExp])[] = [
  [
    "month",
    whole(
      "monthly|pcm|p\\.m\\.|p\\/m|pm|monatlich|mensuels?|mensuelle|mensual(?:es)?|mensal|mensile|maandelijks|miesięcznie|měsíčně|månadsvis|ежемесячно|ماهانه|ماهیانه|شهريا",
    ),
  ],
  [
    "year",
    whole(
      "yearly|annually|annual|p\\.a\\.|pa|jährlich|annuel(?:le)?|anual|annuale|jaarlijks|rocznie|ročně|årligen|årligt|سالانه|سالیانه|سنويا",
    ),
  ],
  ["week", whole("weekly|wöchentlich|hebdomadaire|semanal|settimanale|wekelijks")],
  ["hour", whole("hourly|stündlich")],
  ["day", whole("daily|täglich")],
  ["once", whole("once|one[- ]time|one[- ]off|lifetime|forever|einmalig|une fois|único|una tantum|eenmalig")],
];
/** "Daily backups" and "Hourly rates" behind a price are not how often it is paid. */
const OF_SOMETHING =
  /^\s+(?:rates?|prices?|updates?|reports?|newsletters?|backups?|support|checks?|calls?|meetings?|sessions?|limits?|posts?|cleaning|delivery)(?!\p{L})/iu;
const GAP = /^(?:\/-|[\s,·•|()*†–—:-]|(?:and|und|et|y|e|og|och|i)\s+(?=(?:per|each|pro|par|por|je|pr)(?!\p{L})))+/iu;
const PER =
  /^(?:\/(?:\s*per(?!\p{L}))?|(?:per|each|every|pro|je|par|por|pr\.?|za|a|an|im|in|al|the|et|und|and|y|e|og|och|i)(?!\p{L}))\s*/iu;
/** Behind these any noun is what the price counts; behind "a" only a period is meant. */
const COUNTING = /^(?:\/|(?:per|each|pro|je|par|por|pr\.?|za)(?!\p{L}))/iu;
const NOUN =
  /^(?:(?:active|paid|named|full|registered|unique|aktive[rn]?)\s+)?(?<noun>(?:\d[\d.,]*\s+)?\p{L}[\p{L}-]*)/iu;
const FILLER =
  /^(?:only|just|usd|eur|gbp|net|netto|plus|excl?\.?|excluding|incl?\.?|including|zzgl\.?|inkl\.?|hors|vat|tax(?:es)?|gst|mwst\.?|ust\.?|ht|ttc|btw|iva|mva|moms)(?!\p{L})/iu;
/** Billing terms are no period: "$8 per month, billed yearly" is a monthly price. */
const BILLED =
  /^(?:when\s+|if\s+)?(?:billed|paid|charged|invoiced|bei|abgerechnet|facturée?s?|facturado|gefactureerd)(?!\p{L})/iu;
/** What comes to the bill: "billed $96 yearly", "billed as one payment of €96". */
const SUM =
  /^(?:as|at|in|one|a|payment|of|total|zu|mit|à|au)(?!\p{L})|^(?:\p{Sc}\s?|[A-Z]{3}\s)?\d[\d.,]*(?:\s?\p{Sc}|\s[A-Z]{3}(?!\p{L}))?/u;

const BEFORE: readonly (readonly [Period, RegExp])[] = [
  ["month", /(?:monthly|per month|monatlich|mensuel|mensual|月額)[\s:–—-]*$/iu],
  ["year", /(?:yearly|annual(?:ly)?|per year|jährlich|annuel|anual|年額)[\s:–—-]*$/iu],
];
const FROM =
  /(?<!\p{L})(?:from|starting(?: at| from)?|starts?(?: at| from)|as low as|only from|ab|à partir d[eu]|dès|desde|a partir de|a partire da|da|vanaf|från|fra|od|alkaen)(?:\s+(?:just|only|nur|seulement|solo))?[\s:]*$/iu;
const UPWARDS =
  /^\s*(?:\+|and up(?:wards)?(?!\p{L})|onwards(?!\p{L})|and more(?!\p{L})|～|~)|^\s*[-–—]\s*(?:\p{Sc}\s?\d|\d[\d.,]*\s?\p{Sc})/iu;

export interface Terms {
  /** Undefined where no word says it. */
  readonly period?: Period;
  readonly per?: string;
  readonly from: boolean;
  /** How it is paid, where that is another period. */
  readonly billed?: "month" | "year";
}

/** What the words around a price say of it: those directly before it, and those behind it that belong to it. */
export function readTerms(before: string, after: string): Terms {
  const { period, per, billed } = readBehind(after.replace(UPWARDS, " "));
  const said = period ?? BEFORE.find(([, pattern]) => pattern.test(before))?.[0];
  return {
    ...(said ? { period: said } : {}),
    ...(per ? { per } : {}),
    from: FROM.test(before) || UPWARDS.test(after),
    ...((billed === "month" || billed === "year") && said && billed !== said ? { billed } : {}),
  };
}

function readBehind(after: string): { period?: Period; per?: string; billed?: Period } {
  let rest = after;
  let period: Period | undefined;
  let per: string | undefined;
  let billed: Period | undefined;
  let billing = false;
  for (;;) {
    rest = rest.replace(GAP, "");
    // A plan's name, not "pro Monat".
    if (rest.startsWith("Pro ")) break;
    const adverb = ADVERBS.find(([, pattern]) => pattern.test(rest) && !OF_SOMETHING.test(rest.replace(pattern, "")));
    if (adverb) {
      if (billing) billed ??= adverb[0];
      else period ??= adverb[0];
      rest = rest.replace(adverb[1], "");
      continue;
    }
    const counting = COUNTING.test(rest);
    const unit = rest.replace(PER, "");
    const known = PERIODS.find(([name, pattern]) => pattern.test(unit) && (unit !== rest || name === "month"));
    if (known) {
      if (billing) billed ??= known[0];
      else period ??= known[0];
      rest = unit.replace(known[1], "").replace(/^\./, "");
      continue;
    }
    const stroke = counting && ADVERBS.find(([, pattern]) => pattern.test(unit));
    if (stroke) {
      period ??= stroke[0];
      rest = unit.replace(stroke[1], "");
      continue;
    }
    const noun = counting ? NOUN.exec(unit) : null;
    if (noun?.groups?.["noun"]) {
      per ??= noun.groups["noun"].toLowerCase();
      rest = unit.slice(noun[0].length);
      continue;
    }
    const aside: RegExp | undefined = [BILLED, FILLER, ...(billing ? [SUM] : [])].find((pattern) => pattern.test(rest));
    if (!aside) break;
    billing ||= aside === BILLED;
    rest = rest.replace(aside, "");
  }
  const said = period ?? billed;
  return {
    ...(said ? { period: said } : {}),
    ...(per ? { per: ENGLISH[per] ?? per } : {}),
    ...(billed ? { billed } : {}),
  };
}

/** The period that a heading or a switch names, alone: "Monthly plans", "Price per month". */
export function periodNamed(text: string): Period | undefined {
  if (/(?<!\p{L})(?:per month|monthly|monatlich|mensuel|mensual|\/\s*mo(?:nth)?)(?!\p{L})/iu.test(text)) return "month";
  if (/(?<!\p{L})(?:per year|yearly|annual(?:ly)?|jährlich|annuel|anual|\/\s*y(?:ea)?r)(?!\p{L})/iu.test(text))
    return "year";
  if (/(?<!\p{L})(?:per week|weekly|wöchentlich)(?!\p{L})/iu.test(text)) return "week";
  if (/(?<!\p{L})(?:per day|daily|täglich)(?!\p{L})/iu.test(text)) return "day";
  if (/(?<!\p{L})(?:per hour|hourly|stundensatz)(?!\p{L})/iu.test(text)) return "hour";
  return undefined;
}

const ENGLISH: Readonly<Record<string, string>> = {
  users: "user",
  seats: "seat",
  nutzer: "user",
  "nutzer:in": "user",
  benutzer: "user",
  person: "person",
  mitarbeiter: "employee",
  mitarbeitende: "employee",
  platz: "seat",
  utilisateur: "user",
  usuario: "user",
  usuário: "user",
  utente: "user",
  gebruiker: "user",
  användare: "user",
  bruker: "user",
  bruger: "user",
};
