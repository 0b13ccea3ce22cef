import { ownBox } from "./marks.ts";
import { findMoney } from "./money.ts";
import { isBlock, type PageElement, textOf } from "./visible.ts";

const MAX_NAME = 60;
const MAX_WORDS = 8;
const SHORT = { chars: MAX_NAME, words: MAX_WORDS };
/** Shops name products by all that they are, in a heading or a link. */
const LONG = { chars: 110, words: 16 };
const RATED =
  /^[\d.,]+\s*(?:\/\s*5\s*)?(?:\(|reviews?|ratings?|stars?|sold)|\(\d[\d.,]*k?(?: (?:reviews?|ratings?))?\)$/iu;
const NAMES_PLAN = /(?:^|[-_\s])(?:plan|tier|product|package)[-_]?(?:name|title)(?:$|[-_\s])/i;
const MAX_CARD_TEXT = 1_500;
const MAX_PARTS = 300;
const MAX_BADGE = 20;
/** Words of a line with a full stop that make it a sentence. */
const MIN_SENTENCE = 4;
/** Cells of a row that is no plan's. */
const MIN_BOOKED = 3;
export const HEADINGS = "h1, h2, h3, h4, h5, h6, [role='heading']";
const CALLED = /(?:^|[-_\s])(?:[a-z]+(?:Name|Title)|name|title|plan|tier|NAME|TITLE|Name|Title)(?:$|[-_\s])/;

/** Headings of dashboards and tables of people, whose amounts are no prices. */
export const NOT_OFFERED =
  /(?<!\p{L})(?:salary|salaries|earnings?|revenue|turnover|income|profit|budget|balance|sales|expenses?|statistics|market cap|gehalt|umsatz|gewinn|salaire|sueldo)(?!\p{L})|^(?:(?:(?:total|recent|new|pending|open) )?(?:transactions?|invoices?|payments?|withdrawals?|deposits?|refunds?|donations?|orders)|spent|raised|owed|overdue|(?:sub|grand |order |cart )?-?totals?|shipping|delivery|(?:tax(?:es)?|vat)(?: ?\(?\d[\d.]* ?%\)?| ?%)?|discount|amount(?: due)?|due|estimated .{1,20}|filters?(?: by)? ?(?:price)?|price range|zwischensumme|summe|gesamt|versand|sous-total|livraison|envío)[:.]?$/iu;
/** Figures of a business and of a bill: what changes since last month, what is paid on which day. */
export const COUNTED =
  /(?<!\p{L})(?:(?:since|than|vs\.?|from|compared to) (?:the )?(?:last|yesterday|previous|prior)|(?:this|last) (?:week|month|quarter|year)|today['’]s|last \d+ (?:days|hours|weeks|months)|year to date|(?:in|de)creased by \d+ ?%?)(?!\p{L})|[+▲▼↑↓]\s?\d+(?:[.,]\d+)?\s?%/iu;
/** What a business has earned, and with what: a page that shows it is no shop. */
export const EARNED = /(?<!\p{L})(?:earnings?|revenue|turnover|income|profit|expenses?|sales|umsatz|gewinn)(?!\p{L})/iu;
export const OFFICE = /^(?:dashboard(?: overview)?|invoice(?: #?\w*\d)?|order #\s?\w*\d|rechnung|facture)$/iu;
/** The head of a column of prices. */
export const PRICED = /(?<!\p{L})(?:prices?|preise?|prix|precio|prezzo)(?!\p{L})/iu;
/** Heads of tables of people, orders and sums. */
export const BOOKS =
  /(?<!\p{L})(?:dates?|status|customers?|clients?|invoices?|order (?:id|no|number)|transactions?|sales|revenue|change|salary|age|office|qty|quantity|sub-?totals?|totals?|due|datum|statut|fecha|menge|kunde)(?!\p{L})/iu;
const REFERENCE = /^(?:sku|item (?:no|number)|art(?:icle)?\.? ?(?:no|nr)|model (?:no|number)|ref)\b/iu;

const MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";
/** Days and numbers of bills. */
export const DATED = new RegExp(
  String.raw`^#\s?\w*\d|\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|^(?:${MONTHS})\p{L}{0,6}\.?,?\s+\d{1,2}(?!\d)|^\d{1,2}(?:st|nd|rd|th)?\s+(?:${MONTHS})\p{L}{0,6}(?!\p{L})`,
  "iu",
);
const STATUS =
  /^(?:paid|unpaid|pending|completed?|shipped|delivered|processing|cancell?ed|refunded|failed|approved|rejected|declined|overdue|on hold|in progress|done|delayed)$/iu;

/** Whether a row of a table is of a bill, an order or a person: it says when, or how far it is. */
export function isBooked(cells: readonly string[]): boolean {
  return cells.length >= MIN_BOOKED && cells.some((text) => DATED.test(text) || STATUS.test(text));
}

/** Words about offers that name none. */
const BADGE =
  /^(?:(?:our )?most popular|popular|best (?:value|seller|deal)|recommended|new|sale|hot|featured|limited(?: time)?(?: offer)?|save \d+ ?%|\d+ ?% off|beliebt|empfohlen|meistgewählt|angebot|-?\d+ ?%)[!.]?$/iu;
const GENERIC =
  /^(?:(?:our |simple |flexible |transparent )*(?:pricing|prices|plans?|plans? (?:and|&) pricing|rates|packages|offers?|subscriptions?|preise?|tarife?|pläne|tarifs|precios|prezzi)|choose (?:your|a) plan|(?:our |regular |sale |unit )?price|(?:starting |from )?price|investment|costs?|fees?|rate|one[- ]time(?: (?:payment|fee|purchase))?|(?:what['’]?s )?included|includes|features?|benefits|highlights|details|from|starting(?: at| from)?|only|just|now|ab|total|or|and|oder)[:.]?$/iu;
/** What buttons of a card say. */
export const BUYS =
  /^(?:add to (?:my )?(?:cart|basket|bag)|(?:buy|order|shop|book)(?: (?:it|this))? now|buy(?: (?:it|this))?|pre-?order|in den warenkorb|(?:jetzt )?(?:kaufen|bestellen)|ajouter au panier|acheter|añadir al carrito|comprar|aggiungi al carrello)[!.]?$/iu;
const TERMS =
  /^(?:billed )?(?:per |an? |pro |par |im |\/ ?)?(?:month(?:ly)?|year(?:ly)?|annual(?:ly)?|mo|mon|mth|yr|week(?:ly)?|hour(?:ly)?|day|user|seat|monat(?:lich)?|jahr|jährlich|mois|mensuel|mensual|mes)(?: (?:plans?|billing|pricing|price))?[:.]?$/iu;

/** Plans are called so, too. */
export const PERIOD_ALONE =
  /^(?:monthly|yearly|annual(?:ly)?|weekly|daily|hourly|monatlich|jährlich|mensuel|annuel|mensual|anual)$/iu;
/** Whom an offer is for, below its name. */
const TAGLINE =
  /^(?:(?:perfect|ideal|best|great|good|optimal|suited|suitable|designed|made|right|built|recommended) )?for\s|^(?:everything|all (?:you|in))\s/iu;

const FROM = /(?:\s*(?<!\p{L})(?:start(?:s|ing)?|at|from|only|just|ab|for|is|costs?|as low as))+[\s:]*$/iu;

/** The text as an offer's name; undefined for what cannot be one: a sentence, a question, a badge, the terms. */
export function asName(text: string, { chars, words } = SHORT): string | undefined {
  const name = text
    .replace(/^[\s★☆✓✔•·–—-]+/u, "")
    .replace(/(?:[\s:–—|·•(…-]|\.{2,})+$/u, "")
    .trim();
  if (name === "" || name.length > chars || !/\p{L}/u.test(name)) return undefined;
  if (name.split(" ").length > words || /[?…]$|[.!]\s/u.test(name.replace(/^\d{1,2}\.\s/, ""))) return undefined;
  if (/^(?:\/|per\s)/iu.test(name) || (name.endsWith(".") && name.split(" ").length >= MIN_SENTENCE)) return undefined;
  // What goes on behind the amount.
  if (/\s(?:of|at|the|with|by|to|and)$/iu.test(name)) return undefined;
  if (REFERENCE.test(name) || RATED.test(name) || DATED.test(name)) return undefined;
  if (BUYS.test(name) || BADGE.test(name) || GENERIC.test(name) || TERMS.test(name) || findMoney(name).length > 0)
    return undefined;
  return name;
}

/** The heading in an element that names the offer. It may hold the price, too: "Basic $9". */
export function headingIn(element: PageElement, priced?: PageElement): { name: string; level: number } | undefined {
  const found: { name: string; level: number }[] = [];
  for (const heading of element.querySelectorAll(HEADINGS)) {
    if (heading === priced && findMoney(textOf(heading)).length === 0) continue;
    const level = levelOf(heading);
    const written = withoutPrice(firstLine(heading));
    const name = titleOf(heading, priced) ?? asName(written, level >= 3 && isOfProduct(heading) ? LONG : SHORT);
    if (name) found.push({ name, level });
  }
  return found.find(({ name }) => !TAGLINE.test(name)) ?? found[0];
}

/** A title of a shop and no sentence: it leads to the product, is called its title, or has its size. */
function isOfProduct(heading: PageElement): boolean {
  return (
    heading.querySelector("a") !== null ||
    heading.closest("a") !== null ||
    NAMES_PRODUCT.test(heading.getAttribute("class") ?? "") ||
    /\d/.test(textOf(heading))
  );
}

const ASIDE = /(?:^|[-_\s])(?:badge|ribbon|pill|chip|tag|label|sub-?title|caption|tooltip)(?:$|[-_\s])/i;

/** The first line of a name: without a badge beside it, and without what stands below it in the same element. */
export function firstLine(element: PageElement): string {
  const parts = [...element.childNodes].filter(
    (one) => one.nodeType === 1 || (one.nodeType === 3 && (one.textContent ?? "").trim() !== ""),
  );
  const [only] = parts;
  if (parts.length === 1 && only?.nodeType === 1) return firstLine(only as PageElement);
  let line = "";
  let bottom: number | undefined;
  let bold = false;
  for (const part of parts) {
    const child = part.nodeType === 1 ? (part as PageElement) : undefined;
    const text = child ? textOf(child) : (part.textContent ?? "");
    const box = child && ownBox(child);
    const below =
      child !== undefined && (isBlock(child) || (bottom !== undefined && box !== undefined && box.y >= bottom));
    if (line.trim() !== "" && below) break;
    if (box && text !== "") bottom = box.y + box.height;
    // "<b>Basic</b> – all that you need".
    if (bold && /^\s*[–—:-]/u.test(text)) break;
    bold = child !== undefined && /^(?:B|STRONG)$/.test(child.tagName) && line.trim() === "";
    if (child && text !== "" && (child.tagName === "SMALL" || ASIDE.test(child.getAttribute("class") ?? ""))) continue;
    line += text;
  }
  const said = line.replace(/\s+/g, " ").trim();
  return said === "" ? textOf(element) : said;
}

/** The name of a product, however large. */
const NAMES_PRODUCT = /(?:product|item|plan|tier|package|pricing|price|card)[-_]*(?:title|name|heading)/i;

/** 1 and 2 name pages and sections. */
function levelOf(heading: PageElement): number {
  if (NAMES_PRODUCT.test(heading.getAttribute("class") ?? "")) return 3;
  return Number(/^h(\d)$/i.exec(heading.tagName)?.[1] ?? heading.getAttribute("aria-level") ?? 3);
}

/** "Gift card €25" whose price stands beside it. */
function titleOf(title: PageElement, priced: PageElement | undefined): string | undefined {
  const text = textOf(title);
  const [money] = findMoney(text);
  if (!priced || !money || money.index === 0 || title.contains(priced) || text.length > MAX_NAME) return undefined;
  return asName(text.slice(0, money.index)) && text;
}

/** Whether markup calls it a name or title. */
export function isTitle(element: PageElement): boolean {
  return element.matches(HEADINGS) || CALLED.test(element.getAttribute("class") ?? "");
}

/** A name without a heading: the words before the price in its line, else the first short block before it. */
export function wordsBefore(element: PageElement, priced: PageElement): string | undefined {
  const blocks = leafBlocks(element, priced);
  const called = blocks.find((block) => CALLED.test(block.className ?? ""));
  const title = called && titleOf(called, priced);
  const [top] = blocks;
  if (top && PERIOD_ALONE.test(textOf(top))) return textOf(top);
  const names = [...(called ? [called] : []), ...blocks].map((block) =>
    asName(firstLine(block), block.tagName === "A" || block.querySelector("a") ? LONG : SHORT),
  );
  const first = title ?? names.find((name) => name && !TAGLINE.test(name));
  return first ?? (element.querySelector(HEADINGS) ? undefined : ownWords(element, priced));
}

/** None of what is too large for a card. */
function partsOf(card: PageElement): PageElement[] {
  const parts = [...card.querySelectorAll("*")];
  return parts.length > MAX_PARTS || textOf(card).length > MAX_CARD_TEXT ? [] : parts;
}

/** What the markup of a card calls the plan's name, where headings say something else. */
export function planIn(card: PageElement): string | undefined {
  const called = partsOf(card).filter(
    (one) => NAMES_PLAN.test(one.getAttribute("class") ?? "") && ![...one.children].some(isBlock),
  );
  return called.map((one) => asName(firstLine(one), LONG)).find((name) => name);
}

/** A name below the price. */
export function wordsAfter(card: PageElement, priced: PageElement): string | undefined {
  const all = partsOf(card);
  const behind = all.slice(all.findLastIndex((one) => priced.contains(one)) + 1);
  const lines = behind.filter(
    (one) =>
      !one.contains(priced) &&
      ![...one.children].some(isBlock) &&
      textOf(one) !== "" &&
      !one.closest("li, button, [role='button']"),
  );
  return lines
    .map((one) => asName(firstLine(one)))
    .find((name) => name && !TAGLINE.test(name) && !/^free$/i.test(name));
}

/** The name of a card where no line before the price is one: what its markup calls the name, else the badge that is all that tells it from others. */
export function calledIn(card: PageElement): string | undefined {
  const parts = partsOf(card).filter((one) => !one.closest("button, [role='button']"));
  const called = parts.filter(
    (one) => CALLED.test(one.getAttribute("class") ?? "") && ![...one.children].some(isBlock),
  );
  return (
    called.map((one) => asName(firstLine(one))).find((name) => name) ??
    parts
      .filter((one) => ASIDE.test(one.getAttribute("class") ?? ""))
      .map(textOf)
      .find((text) => /\p{L}/u.test(text) && !/\d/.test(text) && text.length <= MAX_BADGE)
  );
}

/** "Consulting – $150/hour" in one line. */
function ownWords(element: PageElement, priced: PageElement): string | undefined {
  // What stands in blocks above is no part of the line.
  if (leafBlocks(element, priced).some(isBlock)) return undefined;
  const text = textOf(element);
  const money = findMoney(text)[0];
  const at = money ? money.index : text.indexOf(textOf(priced));
  if (at <= 0) return undefined;
  return asName(text.slice(0, at).replace(FROM, ""));
}

/** A link to the page of a product, no button. */
function isNamingLink(link: PageElement): boolean {
  return link.tagName === "A" && !/(?:^|[-_\s])(?:btn|button)/i.test(link.getAttribute("class") ?? "");
}

/** Short innermost blocks before the price, in the page's order. */
function leafBlocks(element: PageElement, priced: PageElement): PageElement[] {
  const found: PageElement[] = [];
  for (const one of element.querySelectorAll("*")) {
    if (one === priced || found.length >= 12) break;
    // They name a page or a section.
    if (/^h[12]$/i.test(one.tagName)) continue;
    if (one.contains(priced) || (!isBlock(one) && !["SPAN", "STRONG", "B"].includes(one.tagName) && !isNamingLink(one)))
      continue;
    if (
      [...one.children].some((child) => isBlock(child) && child.tagName !== "BR") ||
      textOf(one) === "" ||
      one.closest("button, [role='button']")
    )
      continue;
    found.push(one);
  }
  return found;
}

/** The name in the text of a cell or heading that holds its price too. */
export function withoutPrice(text: string): string {
  const money = findMoney(text)[0];
  if (!money) return text;
  return money.index > 0 ? text.slice(0, money.index) : text;
}

/** Among the siblings before: a near heading or term, else the short line directly above. */
export function nameAbove(
  element: PageElement,
  isPriced: (one: PageElement) => boolean,
): { name: string; level: number } | undefined {
  let above = element.previousElementSibling;
  let near: string | undefined;
  for (let steps = 0; above && steps < 4; steps++, above = above.previousElementSibling) {
    const heads = above.matches(`${HEADINGS}, dt, th`);
    if (isPriced(above) && !heads) break;
    const own = heads ? asName(textOf(above)) : undefined;
    const heading = own ? { name: own, level: levelOf(above) } : heads ? undefined : headingIn(above);
    // The short line directly above is the name where only a section's heading stands farther away.
    if (heading && (near === undefined || heading.level >= 3)) return heading;
    if (heading) break;
    const short = steps === 0 && textOf(above).length <= 30 ? asName(firstLine(above)) : undefined;
    if (short && !TAGLINE.test(short)) near = short;
  }
  return near === undefined ? undefined : { name: near, level: 3 };
}
