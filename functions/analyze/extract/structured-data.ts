import type { Analysis, Price } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import type { PageDocument } from "./visible.ts";

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

/** Offers by schema.org, for pages whose prices are in their structured data only. */
export function structuredOffers(document: PageDocument, cite: Cite): Offer[] {
  return [...document.querySelectorAll("script[type='application/ld+json']")]
    .flatMap((script) => {
      const text = script.textContent ?? "";
      if (text.length > MAX_SCRIPT) return [];
      try {
        return offersIn(JSON.parse(text), "", cite, 0);
      } catch {
        // The page's JSON is broken.
        return [];
      }
    })
    .slice(0, MAX_OFFERS);
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
