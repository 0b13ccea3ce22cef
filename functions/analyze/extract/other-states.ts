import type { Analysis, Price } from "../../../pipelines/market-analysis/analysis.ts";
import { isOtherPeriod, unique } from "./beside-price.ts";
import { pricesIn } from "./mentions.ts";
import type { SharedSigns } from "./money.ts";
import { periodNamed, readTerms } from "./terms.ts";

type Offer = Analysis["offers"][number];

const STATES = /<pre hidden data-agentic-states>([^<]*)<\/pre>\s*$/;
const PRESSED = /\[After pressing “([^”]{1,100})”\]\n/;
const ENTITIES: Readonly<Record<string, string>> = { "&lt;": "<", "&gt;": ">", "&amp;": "&" };
/** Lines below an offer's name in which its price stands, and of what is read there. */
const REACH = 8;
const MAX_LINES = 2_000;

interface State {
  /** What was pressed. */
  readonly label: string;
  readonly lines: readonly string[];
}

/** What the page shows when its tabs and switches are pressed, as scrape wrote it down. */
export function statesIn(html: string): State[] {
  const [, written] = STATES.exec(html.slice(html.lastIndexOf("<pre hidden data-agentic-states>"))) ?? [];
  if (written === undefined) return [];
  const [, ...parts] = written.replace(/&(?:lt|gt|amp);/g, (entity) => ENTITIES[entity] ?? entity).split(PRESSED);
  const states: State[] = [];
  for (let at = 0; at + 1 < parts.length; at += 2) {
    const lines = (parts[at + 1] ?? "").split("\n").map((line) => line.trim());
    states.push({ label: parts[at] ?? "", lines: lines.filter((line) => line !== "").slice(0, MAX_LINES) });
  }
  return states;
}

/** Offers with what they cost when the page is switched to the other period. */
export function withOtherPrices(offers: readonly Offer[], states: readonly State[], shared: SharedSigns): Offer[] {
  return offers.map((offer) => {
    const { price, alternatives = [] } = offer;
    if (price === null || price.amount === 0) return offer;
    const others = offers.filter((other) => other !== offer).map(({ name }) => name.toLowerCase());
    const found = states.flatMap((state) => otherPrice(offer.name, price, others, state, shared) ?? []);
    const all = unique([...alternatives, ...found]);
    return all.length > 0 ? { ...offer, alternatives: all } : offer;
  });
}

function otherPrice(
  name: string,
  price: Price,
  others: readonly string[],
  { label, lines }: State,
  shared: SharedSigns,
): Price | undefined {
  const at = lines.findIndex((line) => line.toLowerCase() === name.toLowerCase());
  if (at < 0) return undefined;
  const below = lines.slice(at + 1, at + 1 + REACH);
  const end = below.findIndex((line) => others.includes(line.toLowerCase()));
  const text = (end < 0 ? below : below.slice(0, end)).join(" ");
  const [money] = pricesIn(text, shared);
  if (!money) return undefined;
  const said = readTerms(text.slice(0, money.index), text.slice(money.index + money.text.length).slice(0, 90));
  const switched = periodNamed(label);
  const period = said.period ?? switched ?? price.period;
  // A yearly plan is often told by the month: "$8 per month, billed yearly".
  const billed = said.billed ?? (isOtherPeriod(period, switched) ? switched : undefined);
  const { per = price.per, from } = said;
  const same = money.amount === price.amount && period === price.period;
  if (same || money.currency !== price.currency) return undefined;
  return {
    amount: money.amount,
    currency: money.currency,
    period,
    ...(per ? { per } : {}),
    from,
    ...(billed ? { billed } : {}),
  };
}
