import { findBare, findMoney, type Money, type SharedSigns } from "./money.ts";
import { HEADINGS, isTitle } from "./offer-name.ts";
import { type PageElement, textOf } from "./visible.ts";

/** The innermost element in which the page says what something costs. */
export interface Mention {
  readonly element: PageElement;
  readonly kind: "money" | "free" | "request";
  /** Set when the kind is money. */
  readonly money?: Money;
}

/** Longer text is prose, and its amounts are no prices. */
const MAX_TAG = 160;
const MAX_MENTIONS = 400;
/** Parts of a page that sell nothing: amounts there are rules, examples or stories. */
const ELSEWHERE =
  "nav, footer, blockquote, details, select, pre, code, [role='navigation'], [class*='dropdown-menu' i], [class*='notification' i], [class*='input-group' i], [class*='minicart' i], [class*='mini-cart' i], [class*='cart-total' i], [class*='cart-summary' i], [class*='order-summary' i], [class*='testimonial' i], [class*='faq' i], [id*='faq' i], [class*='cookie' i], [id*='cookie' i]";
const CARDS = "article, li, [class*='card' i]";
const NOT_FOR_TEXT = "a, button, label, [role='button']";

const FREE =
  /^(?:free(?: forever| plan)?|kostenlos|kostenfrei|gratis|gratuit|gratuito|grátis|za darmo|zdarma|бесплатно|رایگان|مجانا?|免费|無料)$/iu;
const REQUEST =
  /^(?:(?:contact|ask|call|email|talk to|speak to) (?:us|sales)(?: for (?:a )?(?:pricing|price|quote))?|custom(?: pricing| price| quote)?|(?:price |pricing )?(?:on|by|upon) request|(?:call|ask|inquire|enquire) for (?:a )?(?:pricing|price|quote)|(?:get|request) (?:a )?(?:quote|pricing)|let['’]?s talk|poa|individuell|(?:preis )?auf anfrage|sur (?:devis|demande)|nous contacter|a consultar|a medida|su richiesta|op aanvraag|på förfrågan|pris på forespørsel)[.!]?$/iu;
/** Directly before an amount that is saved, lent, earned, or a former price. */
const NOT_BEFORE =
  /(?:save[sd]?|saving|sparen?|spare|économisez|ahorra|was|were|instead of|statt|originally|regular(?:ly)?|list price|rrp|uvp|before|raised|revenue of|worth|valued? at|value|over|under|above|below|budget|credits?|refund|deposit|shipping|delivery|versand|extra|additional|zusätzlich|add|another|plus|minimum|up to|setup fee|fee|discount|prize|win|earn|spent|spend(?:ing)?|invested|donated|lost|owed|gave|paid|pay(?:s|ing)? you)[\s:+]*(?:of|for|from|is|only)?\s*$/iu;
/** "+ $2,000", "- $25" and "+82.6 USD" of an account. */
const BOOKED = /^[+−-]\s?(?:\p{Sc}\s?\d|\d[\d.,]*\s?(?:\p{Sc}|[A-Z]{3}$))/u;
/** "Order #12345 – $234.00": of a sale that was. */
const ORDERED = /(?<!\p{L})(?:orders?|invoices?|payments?|transactions?)\s*(?:no\.?\s*)?#\s?\w*\d/iu;
/** In the same words as the amount of an extra. */
const EXTRA =
  /(?<!\p{L})(?:extra|additional|add-?ons?|overage|zusätzlich\p{L}*|supplémentaire|set-?up fee|shipping)(?!\p{L})/iu;
const NOT_BEHIND =
  /^\s*(?:off(?!\p{L})|(?:in )?(?:free )?(?:credits?|savings?|discount|cashback|assets|funding|revenue|guthaben|rabatt)(?!\p{L})|(?:value|saved|raised|back)(?!\p{L}))/iu;

/** The prices in a text. */
type Read = (text: string) => readonly Money[];

/** The places of prices, in the page's order. */
export function findMentions(body: PageElement, shared: SharedSigns): Mention[] {
  const found = mentionsBy((text) => pricesIn(text, shared), body);
  if (found.some(({ kind }) => kind === "money")) return found;
  const bare = mentionsBy(findBare, body);
  // One number may be anything, of several cards it is the price.
  return bare.filter(({ kind }) => kind === "money").length > 1 ? bare : found;
}

function mentionsBy(read: Read, body: PageElement): Mention[] {
  const mentions: Mention[] = [];
  for (const element of body.querySelectorAll("*")) {
    if (mentions.length === MAX_MENTIONS) break;
    const text = textOf(element);
    if (text === "" || text.length > MAX_TAG || isElsewhere(element)) continue;
    const mention = mentionIn(element, text, read);
    if (mention && ![...element.children].some((child) => mentionIn(child, textOf(child), read)))
      mentions.push(mention);
  }
  const priced = new Set(mentions.flatMap(({ element, money }) => (money && !inButton(element) ? [money.amount] : [])));
  return mentions.filter(
    (mention) =>
      !isFeature(mention.element, mentions) &&
      !isName(mention, mentions) &&
      !isSet(mention) &&
      // "Buy now for $129", below the price.
      !(priced.has(mention.money?.amount ?? -1) && inButton(mention.element)) &&
      !isRepeatedByPrice(mention, mentions),
  );
}

/** Wrappers of whole pages may be named like parts of one. */
function isElsewhere(element: PageElement): boolean {
  const part = element.closest(ELSEWHERE);
  // A card has a footer of its own.
  const card = part?.tagName === "FOOTER" ? part.parentElement?.closest(CARDS) : undefined;
  if (card) return isElsewhere(card);
  return part !== null && !/^(?:BODY|HTML)$/.test(part.tagName) && part.querySelector("h1, main") === null;
}

function mentionIn(element: PageElement, text: string, read: Read): Mention | undefined {
  const money = read(text)[0];
  if (money) {
    const isBooked = [element, ...element.querySelectorAll("*")].some((one) => BOOKED.test(textOf(one)));
    return isBooked || ORDERED.test(text) ? undefined : { element, kind: "money", money };
  }
  if (element.closest(NOT_FOR_TEXT)) return undefined;
  if (FREE.test(text)) return { element, kind: "free" };
  return REQUEST.test(text) ? { element, kind: "request" } : undefined;
}

/** The amounts in a text that are prices: not saved, lent or extra. */
export function pricesIn(text: string, shared: SharedSigns): Money[] {
  return findMoney(text, shared).filter(({ index, text: written }) => {
    const before = text.slice(Math.max(0, index - 40), index);
    const behind = text.slice(index + written.length);
    return (
      !NOT_BEFORE.test(before) &&
      !NOT_BEHIND.test(behind) &&
      !EXTRA.test(before) &&
      // "$9 + $2 per extra user": of the second.
      !EXTRA.test(behind.slice(0, 40).split(/[+;]|\p{Sc}/u)[0] ?? "")
    );
  });
}

/** A link may hold a whole card. */
function inButton(element: PageElement): boolean {
  return element.closest("button, [role='button'], a")?.querySelector(HEADINGS) === null;
}

/** A word in place of an amount. */
export function isPriceWord(text: string): boolean {
  return FREE.test(text) || REQUEST.test(text);
}

/** "Gift card €25" above "€25.00", which is the price. */
function isRepeatedByPrice({ element, money }: Mention, mentions: readonly Mention[]): boolean {
  const title = isTitle(element) ? element : element.parentElement;
  if (!money || money.index === 0 || !title || !isTitle(title)) return false;
  let card = element.parentElement;
  for (let climbs = 0; card && climbs < 3; climbs++, card = card.parentElement) {
    const inside = mentions.filter((other) => card?.contains(other.element));
    if (inside.length > 1) return inside.length === 2 && inside.every((other) => other.money?.amount === money.amount);
  }
  return false;
}

/** A plan called "Free" above its "$0", and not beside the prices of other plans. */
function isName({ element, kind }: Mention, mentions: readonly Mention[]): boolean {
  if (kind === "money") return false;
  const heads = element.matches(HEADINGS);
  if (kind === "request") return heads && isAboveRequest(element, mentions);
  for (let up = element.parentElement, climbs = 0; up && climbs < 3; up = up.parentElement, climbs++) {
    const card = up;
    const priced = mentions.flatMap((other) => (other.money && card.contains(other.element) ? other.money.amount : []));
    if (priced.length > 0) return (heads && climbs === 0) || (priced.length === 1 && priced[0] === 0);
  }
  return false;
}

/** A plan called "Custom" above "Let's talk". */
function isAboveRequest(element: PageElement, mentions: readonly Mention[]): boolean {
  const card = element.parentElement;
  const others = mentions.filter((other) => other.element !== element && card?.contains(other.element));
  const [other] = others;
  const isFirst = other !== undefined && mentions.findIndex((one) => one.element === element) < mentions.indexOf(other);
  return isFirst && others.length === 1 && other.kind !== "free";
}

/** An amount that the visitor sets by a slider: of a calculator or a filter. */
function isSet({ element, money }: Mention): boolean {
  if (!money) return false;
  for (let up = element.parentElement, climbs = 0; up && climbs < 3; up = up.parentElement, climbs++)
    for (const slider of up.querySelectorAll("input[type='range']"))
      if (["value", "min", "max"].some((one) => Number(slider.getAttribute(one) ?? Number.NaN) === money.amount))
        return true;
  return false;
}

/** One of a few priced lines in a list of features, under a price of its own. */
function isFeature(element: PageElement, mentions: readonly Mention[]): boolean {
  const list = element.closest("li")?.parentElement;
  const card = list?.parentElement;
  if (!list || !card || card.tagName === "BODY") return false;
  const inside = mentions.filter((other) => list.contains(other.element)).length;
  // Lists beside each other are plans beside each other.
  const beside = mentions.some(
    (other) =>
      !list.contains(other.element) &&
      card.contains(other.element) &&
      ![...card.children].some((one) => one.tagName === list.tagName && one.contains(other.element)),
  );
  return beside && inside * 2 <= list.children.length;
}
