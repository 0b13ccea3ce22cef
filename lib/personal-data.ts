import { findPhoneNumbersInText, isSupportedCountry } from "libphonenumber-js";

const MAIL = /[\p{L}\p{N}][\p{L}\p{N}._%+-]{0,63}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu;
/** 13 to 19 digits, in groups or not. */
const CARD = /(?<!\d[.,]?)\d(?:[ -]?\d){12,18}(?![.,]?\d)/g;

/**
 * A page's text without what reaches a person: addresses for mail, phone numbers, card numbers. `language` (BCP 47, the page's own) says
 * how numbers without a country are written there. Names stay: a page's claims are about companies, and who praises them is a finding.
 */
export function maskPersonalData(text: string, language = "en"): string {
  const masked = text
    .replace(MAIL, "[mail]")
    .replace(CARD, (digits) => (isCard(digits.replace(/\D/g, "")) ? "[card]" : digits));
  const country = regionOf(language);
  let result = "";
  let from = 0;
  for (const { startsAt, endsAt } of findPhoneNumbersInText(masked, country)) {
    result += `${masked.slice(from, startsAt)}[phone]`;
    from = endsAt;
  }
  return result + masked.slice(from);
}

function regionOf(language: string) {
  try {
    const { region = "US" } = new Intl.Locale(language).maximize();
    return isSupportedCountry(region) ? region : "US";
  } catch {
    return "US";
  }
}

/** Luhn's checksum: other long numbers are none. */
function isCard(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
