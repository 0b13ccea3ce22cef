import type { Analysis } from "../../../pipeline/analysis.ts";
import { findMoney, type Money } from "./money.ts";
import { readTerms } from "./period.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

type Offer = Analysis["offers"][number];

/** A card holds one plan: its text is short. Longer is a page's section, or prose. */
const MAX_CARD = 900;
const MAX_NAME = 60;
/** How far from a price its terms may stand, in characters. */
const TERMS_REACH = 60;
const OLD_PRICE = "s, del, strike, .old-price, .was, [style*='line-through']";
const HEADINGS = "h1, h2, h3, h4, h5, h6";
const NAMES = "h1, h2, h3, h4, h5, h6, [class*='name'], [class*='title'], [class*='plan'], caption, strong, b, th";
const ON_REQUEST =
  /\b(?:contact (?:us|sales)|talk to (?:us|sales)|custom(?: pricing)?|on request|get a quote|let['’]s talk|auf anfrage|individuell|sur devis|a consultar)\b/iu;
const FREE = /^(?:free|free forever|kostenlos|gratis|gratuit)$/iu;
/** Money that is no price: what is saved, raised, refunded or earned. */
const NO_PRICE =
  /(?:\bsave|\bsaved|\bsaving|\bspare[nt]?|\boff|\bdiscount|\braised|\brevenue|\bworth|\bbudget|\bcredit|\brefund)\W*$/iu;

/** The plans a page offers: cards and table cells around a price, and those that name none ("contact us"). */
export function findOffers(document: PageDocument, screenshot: string): Offer[] {
  for (const old of document.querySelectorAll(OLD_PRICE)) old.remove();
  const body = document.querySelector("body");
  if (!body) return [];
  const cards = new Map<PageElement, Offer>();
  for (const element of pricedElements(body)) {
    const cell = element.closest("td, th");
    const offer = cell ? fromTable(cell, screenshot) : fromCard(element, body, screenshot);
    if (offer && !cards.has(offer.element)) cards.set(offer.element, offer.offer);
  }
  for (const { element, offer } of withoutPrice([...cards.keys()], screenshot))
    if (!cards.has(element)) cards.set(element, offer);
  const found = inDocumentOrder(document, cards);
  return dedupe(found.length > 0 ? found : fromJsonLd(document, screenshot));
}

/** The innermost elements whose own text is a price, or says that there is none to pay. */
function pricedElements(body: PageElement): PageElement[] {
  return [...body.querySelectorAll("*")].filter((element) => {
    const text = textOf(element);
    if (text.length > 200 || !isPriced(text)) return false;
    return ![...element.children].some((child) => isPriced(textOf(child)));
  });
}

function isPriced(text: string): boolean {
  return FREE.test(text) || moneyIn(text).length > 0;
}

function fromCard(
  element: PageElement,
  body: PageElement,
  screenshot: string,
): { element: PageElement; offer: Offer } | undefined {
  const [own] = moneyIn(textOf(element));
  let card: PageElement | null = element;
  let name: string | undefined;
  while (card && card !== body) {
    const text = textOf(card);
    if (text.length > MAX_CARD) return undefined;
    // "Free" beside an amount is a plan's name, or a word of praise.
    if (!own && findMoney(text).length > 0) return undefined;
    name = nameIn(card, element);
    if (name) break;
    card = card.parentElement;
  }
  if (!card || !name || card === body) return undefined;
  // "/month" often stands beside the amount, in an element of its own: terms are read from the card.
  const whole = widen(card, body);
  return {
    element: whole,
    offer: {
      name,
      price: own
        ? priceIn(textOf(card), own)
        : { amount: 0, currency: currencyOf(body) ?? "USD", period: "month", from: false },
      features: featuresOf(whole),
      evidence: { text: textOf(whole).slice(0, 300), screenshot },
    },
  };
}

/** The card may go on below: up to the largest ancestor with no other price and no other heading. */
function widen(card: PageElement, body: PageElement): PageElement {
  const prices = findMoney(textOf(card)).length;
  const headings = card.querySelectorAll(HEADINGS).length;
  let whole = card;
  for (let up = card.parentElement; up && up !== body; up = up.parentElement) {
    const text = textOf(up);
    if (text.length > MAX_CARD || findMoney(text).length !== prices) break;
    if (up.querySelectorAll(HEADINGS).length > Math.max(1, headings)) break;
    whole = up;
  }
  return whole;
}

function moneyIn(text: string): Money[] {
  return findMoney(text).filter((money) => !NO_PRICE.test(text.slice(0, money.index)));
}

/** This amount where it stands in the card's text, with the terms around it. */
function priceIn(text: string, wanted: Money): Offer["price"] {
  const all = moneyIn(text);
  const money = all.find((one) => one.amount === wanted.amount && one.currency === wanted.currency) ?? wanted;
  const end = money.index + money.text.length;
  const next = all.find((one) => one.index > money.index)?.index ?? end + TERMS_REACH;
  const terms = readTerms(
    text.slice(Math.max(0, money.index - TERMS_REACH), money.index),
    text.slice(end, Math.min(next, end + TERMS_REACH)),
  );
  return { amount: money.amount, currency: money.currency, ...terms };
}

function nameIn(card: PageElement, price?: PageElement): string | undefined {
  for (const candidate of card.querySelectorAll(NAMES)) {
    if (price && (candidate.contains(price) || price.contains(candidate))) continue;
    const text = textOf(candidate);
    if (text !== "" && text.length <= MAX_NAME && findMoney(text).length === 0 && /\p{L}/u.test(text)) return text;
  }
  return undefined;
}

/** In a table a price belongs to its row's head, or to its column's where the rows are features. */
function fromTable(cell: PageElement, screenshot: string): { element: PageElement; offer: Offer } | undefined {
  const row = cell.closest("tr");
  const table = cell.closest("table");
  const text = textOf(cell);
  const money = findMoney(text)[0];
  if (!row || !table || !money) return undefined;
  const priceCells = [...row.children].filter((one) => findMoney(textOf(one)).length > 0);
  const column = [...row.children].indexOf(cell);
  const heads = [...(table.querySelector("tr")?.children ?? [])];
  const head = textOf(heads[column] ?? cell);
  const name = priceCells.length > 1 ? head : textOf(row.children[0] ?? cell);
  if (!name || name === text) return undefined;
  const about = priceCells.length > 1 ? text : `${textOf(row)} ${head}`;
  const end = about.indexOf(money.text) + money.text.length;
  const terms = readTerms(about.slice(0, Math.max(0, end - money.text.length)), about.slice(end));
  return {
    element: priceCells.length > 1 ? cell : row,
    offer: {
      name: name.slice(0, MAX_NAME),
      price: { amount: money.amount, currency: money.currency, ...terms },
      features: [],
      evidence: { text: textOf(row).slice(0, 300), screenshot },
    },
  };
}

/** Siblings of priced cards that name no price, but say how to get one. */
function withoutPrice(cards: readonly PageElement[], screenshot: string): { element: PageElement; offer: Offer }[] {
  const parents = new Set(cards.map((card) => card.parentElement).filter((parent) => parent !== null));
  return [...parents].flatMap((parent) =>
    [...parent.children]
      .filter((sibling) => !cards.some((card) => card === sibling || sibling.contains(card) || card.contains(sibling)))
      .flatMap((sibling) => {
        const text = textOf(sibling);
        const name = nameIn(sibling);
        if (!name || text.length > MAX_CARD || !ON_REQUEST.test(text)) return [];
        return [
          {
            element: sibling,
            offer: {
              name,
              price: null,
              features: featuresOf(sibling),
              evidence: { text: text.slice(0, 300), screenshot },
            },
          },
        ];
      }),
  );
}

function featuresOf(card: PageElement): string[] {
  return [...card.querySelectorAll("li")]
    .map(textOf)
    .filter((text) => text !== "" && text.length <= 120)
    .slice(0, 12);
}

function currencyOf(body: PageElement): string | undefined {
  return findMoney(textOf(body))[0]?.currency;
}

function inDocumentOrder(document: PageDocument, cards: ReadonlyMap<PageElement, Offer>): Offer[] {
  return [...document.querySelectorAll("*")].flatMap((element) => cards.get(element) ?? []);
}

function dedupe(offers: readonly Offer[]): Offer[] {
  const seen = new Set<string>();
  return offers.filter(({ name, price }) => {
    const key = JSON.stringify([name.toLowerCase(), price?.amount, price?.currency, price?.period]);
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/** schema.org offers, for pages that show their prices to search engines only. */
function fromJsonLd(document: PageDocument, screenshot: string): Offer[] {
  return [...document.querySelectorAll("script[type='application/ld+json']")].flatMap((script) => {
    try {
      return offersIn(JSON.parse(script.textContent ?? ""), "", screenshot);
    } catch {
      // Somebody else's broken markup.
      return [];
    }
  });
}

function offersIn(value: unknown, name: string, screenshot: string): Offer[] {
  if (Array.isArray(value)) return value.flatMap((one) => offersIn(one, name, screenshot));
  if (value === null || typeof value !== "object") return [];
  const thing = value as Record<string, unknown>;
  const called = typeof thing["name"] === "string" ? thing["name"] : name;
  const amount = Number(thing["price"] ?? thing["lowPrice"]);
  const currency = thing["priceCurrency"];
  if (typeof currency === "string" && /^[A-Z]{3}$/.test(currency) && amount >= 0 && called)
    return [
      {
        name: called,
        price: { amount, currency, period: "once", from: thing["lowPrice"] !== undefined },
        features: [],
        evidence: { text: JSON.stringify(thing).slice(0, 300), screenshot },
      },
    ];
  return Object.values(thing).flatMap((one) => offersIn(one, called, screenshot));
}
