const MONTH =
  "(?:jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|okt(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)(?!\\p{L})\\.?";
const DATES = [
  /\b\d{4}-\d{2}-\d{2}\b/g,
  /\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b/g,
  new RegExp(`\\b\\d{1,2}(?:st|nd|rd|th)?\\.?\\s+${MONTH}(?:\\s+\\d{4})?`, "gu"),
  new RegExp(`\\b${MONTH}\\s+\\d{1,2}(?:st|nd|rd|th)?(?:,?\\s+\\d{4})?\\b`, "gu"),
  new RegExp(`\\b${MONTH}\\s+\\d{4}\\b`, "gu"),
  /\b\d+\s+(?:seconds?|minutes?|hours?|days?|weeks?|months?)\s+ago\b/g,
];
/** A number with what makes it more than a counter: a currency, a percentage. */
const NUMBER = /(\p{Sc}\s?)?\d[\d.,]*(\s?(?:\p{Sc}|%))?(\s?[km]\b)?/gu;
/** Smaller numbers say something: a trial of 14 days, 4.8 of 5. */
const COUNTER = 100;

/** The text without what changes by itself: dates, years, counters, white space, case, punctuation. Two texts that differ in nothing else are equal. */
export function withoutNoise(text: string): string {
  const undated = DATES.reduce((rest, date) => rest.replace(date, " # "), text.normalize("NFKC").toLowerCase());
  return undated
    .replace(NUMBER, (number: string, currency?: string, unit?: string, scale?: string) =>
      currency || unit ? number : scale || Number(number.replace(/\D/g, "")) >= COUNTER ? "#" : number,
    )
    .replace(/[^\p{L}\p{N}\p{Sc}%#.,]+/gu, " ")
    .replace(/[.,]+(?=\s|$)/g, "")
    .trim();
}

/** The text in the form in which letters alone count: what a browser or an author may set otherwise without saying anything else. */
export const plainText = (text: string): string =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\p{Sc}%#]+/gu, " ")
    .trim();
