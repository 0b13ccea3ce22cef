import type { Analysis, Price } from "../../../pipelines/market-analysis/analysis.ts";
import { describePrice } from "../../../pipelines/market-analysis/price.ts";
import type { Cite } from "./evidence.ts";
import { type PageDocument, type PageElement, textOf } from "./visible.ts";

type Offer = Analysis["offers"][number];

const MAX_SCRIPT = 200_000;
const MAX_DEPTH = 12;
const MAX_OFFERS = 50;
/** UN/CEFACT codes and ISO 8601 durations, as schema.org has them. */
const UNITS: Readonly<Record<string, Price["period"]>> = {
  MON: "month",
  P1M: "month",
  ANN: "year",
  P1Y: "year",
  WEE: "week",
  P1W: "week",
  DAY: "day",
  P1D: "day",
  HUR: "hour",
};

/** Offers by schema.org and OpenGraph. Search engines ask for a price: 0 there says nothing. */
export function structuredOffers(document: PageDocument, site: string, cite: Cite): Offer[] {
  return [...jsonOffers(document, cite), ...microdataOffers(document, cite), ...openGraphOffer(document, site, cite)]
    .filter(({ price }) => price && price.amount > 0)
    .slice(0, MAX_OFFERS);
}

/**
 * Structured data fills what the visible page does not say, and overrides nothing that it says: a contradiction is a caveat.
 * @returns the page's offers, and what a reader must know of them
 */
export function withStructured(
  visible: readonly Offer[],
  told: readonly Offer[],
): { offers: Offer[]; caveats: string[] } {
  if (visible.length === 0) return { offers: [...told], caveats: [] };
  const caveats = visible.flatMap(({ name, price, listPrice, alternatives = [] }) => {
    const same = told.filter((one) => one.name.toLowerCase() === name.toLowerCase()).flatMap((one) => one.price ?? []);
    const shown = [price, listPrice, ...alternatives].flatMap((one) => one ?? []);
    const [other] = same.filter(
      (one) => !shown.some(({ amount, currency }) => amount === one.amount && currency === one.currency),
    );
    if (!other || price === null || shown.length === 0) return [];
    return [
      `Structured data says ${describePrice(other)} for ${name}; the page shows ${describePrice(price)}, which counts.`,
    ];
  });
  return { offers: [...visible], caveats };
}

const MAX_ITEMS = 200;

function microdataOffers(document: PageDocument, cite: Cite): Offer[] {
  return [...document.querySelectorAll("[itemprop='price'], [itemprop='lowPrice']")]
    .slice(0, MAX_ITEMS)
    .flatMap((element) => {
      const item = element.closest("[itemtype*='Offer']");
      const product = item?.parentElement?.closest("[itemscope]") ?? item;
      const read = (from: PageElement | null | undefined, property: string) => {
        const one = from?.querySelector(`[itemprop='${property}']`);
        return one && (one.getAttribute("content") ?? textOf(one));
      };
      const name = read(product, "name") ?? read(item, "name");
      const written = element.getAttribute("content") ?? undefined;
      const currency = read(item, "priceCurrency");
      const price = priceOf({ [element.getAttribute("itemprop") ?? "price"]: written, priceCurrency: currency });
      if (!price || !name) return [];
      const evidence = { ...cite(`${name}: ${written} ${currency}`, element), source: "structured data" as const };
      return [{ name: name.slice(0, 200), price, features: [], evidence }];
    });
}

function openGraphOffer(document: PageDocument, site: string, cite: Cite): Offer[] {
  const read = (property: string) =>
    document
      .querySelector(`meta[property='product:${property}'], meta[property='og:${property}']`)
      ?.getAttribute("content");
  const [written, currency] = [read("price:amount"), read("price:currency")];
  const price = priceOf({ price: written, priceCurrency: currency });
  if (!price) return [];
  const evidence = { ...cite(`product:price ${written} ${currency}`), source: "structured data" as const };
  return [{ name: (read("title") ?? site).slice(0, 200), price, features: [], evidence }];
}

function jsonOffers(document: PageDocument, cite: Cite): Offer[] {
  return [...document.querySelectorAll("script[type='application/ld+json']")].flatMap((script) => {
    const text = script.textContent ?? "";
    if (text.length > MAX_SCRIPT) return [];
    try {
      return offersIn(JSON.parse(text), "", cite, 0);
    } catch {
      // The page's JSON is broken.
      return [];
    }
  });
}

function offersIn(value: unknown, around: string, cite: Cite, depth: number): Offer[] {
  if (depth > MAX_DEPTH) return [];
  if (Array.isArray(value)) return value.flatMap((one) => offersIn(one, around, cite, depth + 1));
  if (!isRecord(value)) return [];
  const name = typeof value["name"] === "string" && value["name"] !== "" ? value["name"] : around;
  const price = priceOf(value);
  if (price && name) {
    const evidence = { ...cite(JSON.stringify(value)), source: "structured data" as const };
    return [{ name: name.slice(0, 200), price, features: [], evidence }];
  }
  return Object.values(value).flatMap((one) => offersIn(one, name, cite, depth + 1));
}

function priceOf(offer: Record<string, unknown>): Price | undefined {
  const written = offer["price"] ?? offer["lowPrice"];
  const currency = offer["priceCurrency"];
  if (typeof currency !== "string" || !/^[A-Z]{3}$/.test(currency)) return undefined;
  if (typeof written !== "number" && (typeof written !== "string" || !/^\d+(\.\d+)?$/.test(written.trim())))
    return undefined;
  const amount = Number(written);
  if (!(amount >= 0)) return undefined;
  const specification = isRecord(offer["priceSpecification"]) ? offer["priceSpecification"] : offer;
  const unit = specification["unitCode"] ?? specification["billingDuration"];
  return {
    amount,
    currency,
    period: (typeof unit === "string" ? UNITS[unit] : undefined) ?? "once",
    from: offer["price"] === undefined,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
