import type { Analysis, Price } from "../../../pipelines/market-analysis/analysis.ts";
import { besidePrice } from "./beside-price.ts";
import type { Cite } from "./evidence.ts";
import { findMentions, isPriceWord, type Mention } from "./mentions.ts";
import type { SharedSigns } from "./money.ts";
import {
  asName,
  BUYS,
  COUNTED,
  calledIn,
  EARNED,
  HEADINGS,
  headingIn,
  NOT_OFFERED,
  nameAbove,
  OFFICE,
  PERIOD_ALONE,
  PRICED,
  planIn,
  withoutPrice,
  wordsAfter,
  wordsBefore,
} from "./offer-name.ts";
import { CELLS, headOf, offersInTable, tableOf } from "./offer-table.ts";
import { periodNamed, readTerms } from "./terms.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

type Offer = Analysis["offers"][number];

/** An offer: its name, its price and the element around both. */
interface Unit {
  readonly name: string;
  readonly mention: Mention;
  readonly root: PageElement;
  /** Only the heading of a page or section names it: perhaps a sentence about prices, and no offer. */
  readonly teaser: boolean;
  readonly heads?: string;
}

const MAX_OFFERS = 60;
const MAX_FEATURES = 20;
const MAX_CARD = 1_500;
/** Characters of a card with one figure. */
const MAX_COUNTED = 160;
/** Characters beside an amount that a price tag has. */
const MAX_TAG_WORDS = 12;
/** Levels between a card and the common parent of its neighbours. */
const REACH = 4;
/** Characters behind an amount that may say its terms. */
const TERMS_REACH = 90;
const ENDS_TERMS = `ul, ol, dl, table, a, button, form, dd, dt, ${HEADINGS}`;
const ON_REQUEST =
  /(?<!\p{L})(?:contact (?:us|sales)|talk to (?:us|sales|an expert)|let['’]?s talk|custom pricing|on request|(?:get|request) a quote|auf anfrage|angebot anfordern|sur devis|contactez|a consultar)(?!\p{L})/iu;
/** Parts of a page that say how to write to it. */
const CONTACT = /^(?:contact|get in touch|kontakt)(?!\p{L})/iu;

/** The plans and products that a page offers, each with its price, or without one where the page says "on request". `site` names an offer without a name. */
export function findOffers(document: PageDocument, shared: SharedSigns, site: string, cite: Cite): Offer[] {
  const body = document.querySelector("body");
  if (!body) return [];
  const page: Page = { body, shared, mentions: findMentions(body, shared), counts: new Map() };
  for (const { element } of page.mentions)
    for (let up: PageElement | null = element; up; up = up.parentElement)
      page.counts.set(up, (page.counts.get(up) ?? 0) + 1);
  const units = inOrder(document, accepted([...tableUnits(page), ...cardUnits(page, site)], page));
  const offers = withPeriods(units, page).map(({ unit, price }) => offerOf(unit, price, shared, cite));
  return dedupe(withSilent(offers, units, document, cite)).slice(0, MAX_OFFERS);
}

interface Page {
  readonly body: PageElement;
  readonly shared: SharedSigns;
  readonly mentions: readonly Mention[];
  /** Number of mentions in an element. */
  readonly counts: Map<PageElement, number>;
}

function tableUnits({ mentions }: Page): Unit[] {
  const tables = new Map<PageElement, Mention[]>();
  for (const mention of mentions) {
    const table = tableOf(mention.element);
    if (table) tables.set(table, [...(tables.get(table) ?? []), mention]);
  }
  return [...tables].flatMap(([table, inside]) =>
    offersInTable(table, inside).map((offer) => ({ ...offer, teaser: false })),
  );
}

function cardUnits(page: Page, site: string): Unit[] {
  const units: Unit[] = [];
  for (const mention of page.mentions) {
    if (tableOf(mention.element)) continue;
    const unit = inGrid(mention, page) ?? unitOf(mention, page, site);
    if (unit) units.push(unit);
  }
  // Of several prices in one card the first amount of money is the card's.
  const heads = withoutSections(whole(units)).toSorted(
    (a, b) => Number(b.mention.kind === "money") - Number(a.mention.kind === "money"),
  );
  return heads.filter(
    (unit, at) => !heads.some((other, before) => before < at && other.root.contains(unit.root) && !other.teaser),
  );
}

/** A price in a row of prices, below a row of names: a table without its tags. */
function inGrid(mention: Mention, { body, counts }: Page): Unit | undefined {
  const count = (element: PageElement): number => counts.get(element) ?? 0;
  let cell = mention.element;
  while (cell.parentElement && cell.parentElement !== body && count(cell.parentElement) === 1)
    cell = cell.parentElement;
  const row = cell.parentElement;
  if (count(cell) !== 1 || !row || row === body) return undefined;
  const head = headOf(cell, row, (element) => count(element) > 0);
  if (head === undefined) return undefined;
  return { name: head, mention, root: cell, teaser: false, heads: textOf(row.firstElementChild ?? cell) };
}

/** Climbs from the price to the element that names it. */
function unitOf(mention: Mention, { body, counts }: Page, site: string): Unit | undefined {
  const count = (element: PageElement): number => counts.get(element) ?? 0;
  let base: PageElement = mention.element;
  for (let climbs = 0; climbs < REACH; climbs++) {
    const chain = chainFrom(base, body, count);
    const named = nameIn(chain, mention.element, (element) => count(element) > 0);
    if (named) {
      const teaser = named.level <= 2 && !isProduct(mention, named);
      const name = teaser && readAround(mention, named.root).from ? site : named.name;
      return { name, mention, teaser, root: grow(named.root, chain) };
    }
    const up = chain.at(-1)?.parentElement;
    // Many prices without a name are no card.
    if (!up || up === body || count(up) > 3) break;
    base = up;
  }
  const isSum = NOT_OFFERED.test(withoutPrice(textOf(chainFrom(base, body, count).at(-1) ?? base)).trim());
  return mention.kind === "money" && !isSum ? { name: site, mention, teaser: true, root: base } : undefined;
}

/** The heading of a page for one product, with its price tag below: no sentence with an amount in it. */
function isProduct({ element, money }: Mention, { root }: { readonly root: PageElement }): boolean {
  if (!money || textOf(element).length - money.text.length > MAX_TAG_WORDS || element.closest(HEADINGS)) return false;
  return root.querySelectorAll("h1, h2").length === 1 && textOf(root).length <= MAX_CARD;
}

/** "$10 a month" and below it "or $100 a year": one card, as large as both. */
function whole(units: readonly Unit[]): Unit[] {
  const within = (one: Unit, other: Unit) =>
    one.root !== other.root && one.name === other.name && other.root.contains(one.root);
  const kept = units.filter((unit) => !units.some((one) => within(one, unit)));
  return kept.map((unit) => ({ ...unit, root: units.find((other) => within(unit, other))?.root ?? unit.root }));
}

/** Cards whose headings are as large as those of sections are cards nevertheless: several stand side by side. */
function withoutSections(units: readonly Unit[]): Unit[] {
  const shapeOf = ({ root }: Unit) => `${root.tagName} ${root.getAttribute("class") ?? ""}`;
  const teasers = units.filter(({ teaser }) => teaser);
  const shapes = Map.groupBy(teasers, shapeOf);
  const rows = Map.groupBy(teasers, ({ root }) => standingAlone(root).parentElement);
  return units.map((unit) => {
    const alike = [shapes.get(shapeOf(unit)), rows.get(standingAlone(unit.root).parentElement)];
    return unit.teaser && alike.some((units = []) => units.length > 1) ? { ...unit, teaser: false } : unit;
  });
}

/** The element and its ancestors as far as they hold no other price. */
function chainFrom(base: PageElement, body: PageElement, count: (element: PageElement) => number): PageElement[] {
  const chain = [base];
  for (let up = base.parentElement; up && up !== body && count(up) === count(base); up = up.parentElement)
    chain.push(up);
  return chain;
}

function nameIn(
  chain: readonly PageElement[],
  priced: PageElement,
  isPriced: (element: PageElement) => boolean,
): { name: string; level: number; root: PageElement } | undefined {
  let headed: { name: string; level: number; root: PageElement } | undefined;
  for (const root of chain) {
    const plan = planIn(root);
    if (plan && isRepeated(root, isPriced)) return { name: plan, level: 3, root };
    const heading = root.matches(HEADINGS) ? ownHeading(root) : headingIn(root, priced);
    if (heading) {
      headed = { ...heading, root };
      break;
    }
  }
  if (headed && (headed.level >= 3 || isOneOfSeveral(headed.root, chain, isPriced))) return { ...headed, level: 3 };
  const periodic = namedByPeriod(chain, priced);
  if (periodic) return periodic;
  for (const root of chain) {
    if (textOf(root).length > MAX_CARD) break;
    const name = wordsBefore(root, priced);
    if (name) return { name, level: 3, root };
  }
  const called = headed ? undefined : chain.map((root) => ({ root, name: calledIn(root) })).find(({ name }) => name);
  if (called?.name) return { name: called.name, level: 3, root: called.root };
  const last = chain.at(-1);
  const above = last && nameAbove(last, isPriced);
  if (last && above && above.level >= 3) return { ...above, root: cardOf(last) };
  const below = headed ? undefined : chain.find((root) => isRepeated(root, isPriced) && wordsAfter(root, priced));
  if (below) return { name: wordsAfter(below, priced) ?? "", level: 3, root: below };
  if (last && above && above.level > (headed?.level ?? 0)) return { ...above, root: last };
  return headed ?? namedByPeriod(chain);
}

/** What stands below the same heading, alone in its box, is one card. */
function cardOf(priced: PageElement): PageElement {
  const card = priced.parentElement;
  const isCard = card && card.querySelectorAll(HEADINGS).length === 1 && textOf(card).length <= MAX_CARD;
  return isCard && !/^(?:body|section|main|form)$/i.test(card.tagName) ? card : priced;
}

/** A card among cards: its neighbours have prices, too. */
function isRepeated(card: PageElement, isPriced: (element: PageElement) => boolean): boolean {
  const shape = (one: PageElement) => `${one.tagName} ${one.getAttribute("class") ?? ""}`;
  return [...(card.parentElement?.children ?? [])].some(
    (other) => other !== card && shape(other) === shape(card) && isPriced(other),
  );
}

/** A heading as large as a page's names a card where the cards beside it have one, too. */
function isOneOfSeveral(
  root: PageElement,
  chain: readonly PageElement[],
  isPriced: (element: PageElement) => boolean,
): boolean {
  const heading = root.querySelector(HEADINGS)?.tagName;
  return chain
    .slice(chain.indexOf(root))
    .some((card) =>
      [...(card.parentElement?.children ?? [])].some(
        (other) =>
          other !== card && other.tagName === card.tagName && isPriced(other) && other.querySelector(heading ?? "h1"),
      ),
    );
}

/** Plans are called "Monthly" and "Yearly" too: by a heading above the price, else where nothing else names them. */
function namedByPeriod(
  chain: readonly PageElement[],
  priced?: PageElement,
): { name: string; level: number; root: PageElement } | undefined {
  for (const root of chain) {
    const headings = [...root.querySelectorAll("h2, h3, h4, h5, h6")];
    const heading = priced
      ? headings.find((one) => PERIOD_ALONE.test(textOf(one)) && isBefore(one, priced))
      : headings.find((one) => periodNamed(textOf(one)) && !/^h2$/i.test(one.tagName));
    if (heading && textOf(heading).length <= 30) return { name: textOf(heading), level: 3, root };
  }
  return undefined;
}

const FOLLOWING = 4;
function isBefore(one: PageElement, other: PageElement): boolean {
  return (one.compareDocumentPosition(other) & FOLLOWING) !== 0;
}

function ownHeading(heading: PageElement): { name: string; level: number } | undefined {
  if (isPriceWord(textOf(heading))) return undefined;
  const name = asName(textOf(heading));
  return name ? { name, level: 3 } : undefined;
}

/** The card extends until it would take in another heading. */
function grow(root: PageElement, chain: readonly PageElement[]): PageElement {
  const headings = Math.max(1, root.querySelectorAll(HEADINGS).length);
  let grown = root;
  if (!chain.includes(root)) return root;
  for (const up of chain.slice(chain.indexOf(root) + 1)) {
    const more = up.querySelectorAll(HEADINGS).length > headings;
    if (more || /^(?:section|main|form|header)$/i.test(up.tagName) || textOf(up).length > MAX_CARD) break;
    grown = up;
  }
  return grown;
}

/** "Free" and "Contact us" stand on many pages: they are offers only beside one with a price. Teasers count only without other offers. */
function accepted(units: readonly Unit[], page: Page): Unit[] {
  const isOffice = isBackOffice(units, page);
  const near = units
    .filter((unit) => !isOffice || isForSale(unit))
    .filter(({ name, heads = "" }) => !NOT_OFFERED.test(name) && !NOT_OFFERED.test(`${name} ${heads}`))
    .filter(({ root, mention }) => root.tagName === "BODY" || !isCounted(root, mention))
    .filter((unit) => unit.mention.kind === "money" || besideMoney(unit, page));
  const offers = near.filter((unit) => !unit.teaser);
  return offers.length > 0 ? offers : near.filter(isPriceTag).slice(0, 1);
}

/** A page that shows what a business has earned, or a bill, is no shop. */
function isBackOffice(units: readonly Unit[], { body }: Page): boolean {
  const earned = units.filter(
    ({ name, mention, root }) =>
      mention.kind === "money" &&
      (EARNED.test(name) || (textOf(root).length <= MAX_COUNTED && EARNED.test(textOf(root)))),
  );
  return (
    earned.length > 1 ||
    earned.some(({ root, mention }) => isCounted(root, mention)) ||
    [...body.querySelectorAll("h1, h2, h3")].some((heading) => OFFICE.test(textOf(heading)))
  );
}

/** What says so by itself, beside figures that are no prices. */
function isForSale({ mention, root, heads = "" }: Unit): boolean {
  const { period, per } = readAround(mention, root);
  const buys = [...root.querySelectorAll("a, button, [role='button']")].some((one) => BUYS.test(textOf(one)));
  return period !== undefined || per !== undefined || buys || PRICED.test(heads);
}

/** A figure of a business, beside how it has changed. */
function isCounted(root: PageElement, { money, element }: Mention): boolean {
  const text = textOf(root);
  return (
    money !== undefined &&
    text.length <= MAX_COUNTED &&
    COUNTED.test(text) &&
    readAround({ element, money, kind: "money" }, root).period === undefined
  );
}

/** A sentence with an amount is an offer only when it says how the amount is paid. */
function isPriceTag({ mention, root }: Unit): boolean {
  const { period, from } = readAround(mention, root);
  return from || period !== undefined || textOf(mention.element).length <= 40;
}

function besideMoney({ root }: Unit, { body, mentions }: Page): boolean {
  let up: PageElement | null = root;
  for (let steps = 0; up && up !== body && steps < REACH; steps++) {
    up = up.parentElement;
    const here = up;
    if (here && mentions.some(({ kind, element }) => kind === "money" && here.contains(element))) return true;
  }
  return false;
}

function readAround(mention: Mention, root: PageElement): ReturnType<typeof readTerms> & { readonly said: string } {
  const text = textOf(mention.element);
  const { index = 0, text: written = text } = mention.money ?? {};
  const before = `${textBeside(mention.element, root, "previousSibling")} ${text.slice(0, index)}`;
  const after = `${text.slice(index + written.length)} ${textBeside(mention.element, root, "nextSibling")}`;
  return { ...readTerms(before.trimEnd(), after.slice(0, TERMS_REACH)), said: before };
}

/** The words before or behind an element, as far as its card goes. */
function textBeside(element: PageElement, root: PageElement, side: "previousSibling" | "nextSibling"): string {
  let words = "";
  for (let up: PageElement | null = element; up && up !== root && words.length < TERMS_REACH; up = up.parentElement)
    for (let one = up[side]; one && words.length < TERMS_REACH; one = one[side]) {
      // Terms stand beside the price; a list or a button is about something else.
      if (side === "nextSibling" && one.nodeType === 1 && (one as PageElement).matches(ENDS_TERMS)) return words.trim();
      const text = one.nodeType === 3 ? (one.textContent ?? "") : textOf(one);
      words = side === "nextSibling" ? `${words} ${text}` : `${text} ${words}`;
    }
  return words.replace(/\s+/g, " ").trim();
}

/** Prices. Where none of them has a period, they get that of a table's head, a section or a switch. */
function withPeriods(units: readonly Unit[], page: Page): { unit: Unit; price: Price | null }[] {
  const read = units.map((unit) => ({ unit, terms: readAround(unit.mention, unit.root) }));
  const usual = mostFrequent(
    read.flatMap(({ unit, terms }) => (unit.mention.kind === "money" ? (terms.period ?? []) : [])),
  );
  const currency = page.mentions.find(({ money }) => money)?.money?.currency ?? page.shared.$;
  // What is free costs nothing as often as the others cost something.
  const whole = units.some(({ mention }) => (mention.money?.amount ?? 0) > 0) ? "once" : "month";
  return read.map(({ unit, terms }) => {
    const { kind, money } = unit.mention;
    if (kind === "request") return { unit, price: null };
    const amount = money?.amount ?? 0;
    const named = periodNamed(unit.heads ?? unit.name) ?? (usual ? undefined : switchedTo(unit.root, page.body));
    // "Free forever" beside prices a month is no other period.
    const said = amount === 0 && terms.period === "once" ? undefined : terms.period;
    const period = said ?? named ?? (amount === 0 ? (usual ?? whole) : "once");
    const { per, from, billed } = terms;
    return {
      unit,
      price: {
        amount,
        currency: money?.currency ?? currency,
        period,
        ...(per && kind === "money" ? { per } : {}),
        from,
        ...(billed && kind === "money" ? { billed } : {}),
      },
    };
  });
}

const SWITCHED_ON =
  "[aria-pressed='true'], [aria-selected='true'], [aria-checked='true'], [class~='active'], [class~='selected']";

/** The period of the switch beside the cards, or of the heading above them. */
function switchedTo(root: PageElement, body: PageElement): Price["period"] | undefined {
  for (let up = root.parentElement, steps = 0; up && steps < 6; up = up.parentElement, steps++) {
    for (const one of up.querySelectorAll(`${SWITCHED_ON}, h1, h2`)) {
      const text = textOf(one);
      const period = text.length <= 60 ? periodNamed(text) : undefined;
      if (period) return period;
    }
    if (up === body || up.tagName === "SECTION") break;
  }
  return undefined;
}

function mostFrequent(periods: readonly Price["period"][]): Price["period"] | undefined {
  const counts = new Map<Price["period"], number>();
  for (const period of periods) counts.set(period, (counts.get(period) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
}

function offerOf({ name, root }: Unit, price: Price | null, shared: SharedSigns, cite: Cite): Offer {
  const text = textOf(root);
  const said = text.startsWith(name) || text.includes(name) ? text : `${name} ${text}`;
  const beside = besidePrice(root, price, shared);
  return { name, price, ...beside, features: featuresOf(root), evidence: cite(said, root) };
}

/** Neighbours of priced cards that name a way to ask for the price instead. In the page's order, with the others. */
function withSilent(offers: readonly Offer[], units: readonly Unit[], document: PageDocument, cite: Cite): Offer[] {
  const placed = new Map<PageElement, Offer>();
  for (const [at, { root }] of units.entries()) {
    const offer = offers[at];
    if (offer) placed.set(root, offer);
  }
  const roots = [...placed.keys()];
  const looked = new Set<PageElement>();
  for (const { root, teaser } of units) {
    if (teaser || root.matches(`${CELLS}, tr, [role='row']`)) continue;
    const card = standingAlone(root);
    const row = card.parentElement;
    // Once for a row of cards: a page may have thousands.
    if (!row || looked.has(row)) continue;
    looked.add(row);
    for (const sibling of row.children) {
      if (sibling.tagName !== card.tagName || !isAlike(sibling, card)) continue;
      const text = textOf(sibling);
      if (placed.has(sibling) || text.length > MAX_CARD || !ON_REQUEST.test(text)) continue;
      if (roots.some((other) => other.contains(sibling) || sibling.contains(other))) continue;
      const name =
        headingIn(sibling)?.name ?? [...sibling.children].map((child) => asName(textOf(child))).find((one) => one);
      if (name && !ON_REQUEST.test(name) && !CONTACT.test(name))
        placed.set(sibling, {
          name,
          price: null,
          features: featuresOf(sibling),
          evidence: cite(text, sibling),
        });
    }
  }
  return [...document.querySelectorAll("*")].flatMap((element) => placed.get(element) ?? []);
}

/** Sections of a page stand beside each other, too; only what is drawn alike is a neighbour. */
function isAlike(one: PageElement, other: PageElement): boolean {
  const [a, b] = [one, other].map((element) => element.getAttribute("class") ?? "");
  return a === b || !/^(?:section|header|footer|main|nav|aside|form)$/i.test(one.tagName);
}

/** The card, or the wrapper around it alone: the element whose siblings are the other cards. */
function standingAlone(root: PageElement): PageElement {
  let card = root;
  while (card.parentElement && card.parentElement.children.length === 1 && card.parentElement.tagName !== "BODY")
    card = card.parentElement;
  return card;
}

function featuresOf(card: PageElement): string[] {
  return [...card.querySelectorAll("li")]
    .map(textOf)
    .filter((text) => text !== "" && text.length <= 160)
    .slice(0, MAX_FEATURES);
}

function inOrder(document: PageDocument, units: readonly Unit[]): Unit[] {
  const order = new Map([...document.querySelectorAll("*")].map((element, at) => [element, at]));
  const at = ({ mention }: Unit): number => order.get(mention.element) ?? 0;
  return units.toSorted((a, b) => at(a) - at(b));
}

/** Pages often repeat cards, for phones, and repeat them in a table. */
function dedupe(offers: readonly Offer[]): Offer[] {
  const seen = new Set<string>();
  const priced = new Set(offers.filter(({ price }) => price).map(({ name }) => name.toLowerCase()));
  return offers.filter(({ name, price }) => {
    const key = JSON.stringify([name.toLowerCase(), price?.amount, price?.currency]);
    if (seen.has(key) || (price === null && priced.has(name.toLowerCase()))) return false;
    seen.add(key);
    return true;
  });
}
