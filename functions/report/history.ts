import { addressKey } from "../../pipelines/market-analysis/page-address.ts";
import type { Comparable } from "./changes.ts";
import type { Changes, NumberedClaim, PriceSeries } from "./report.ts";

/** Of one offer. Two points make one price, however long it stands. */
export const MAX_POINTS = 100;
/** Offers whose prices are kept. */
const MAX_SERIES = 2000;

type Point = PriceSeries["points"][number];

/** The prices of earlier reports, and this one's at their end. `claims`: with their statuses. */
export function historyOf(
  earlier: readonly PriceSeries[],
  { date, competitors, claims }: Pick<Comparable, "date" | "competitors" | "claims">,
  changes: Changes | undefined,
): PriceSeries[] {
  const sites = new Map(competitors.map((c) => [c.id, c]));
  const offers = new Map<string, NumberedClaim>();
  for (const claim of claims) {
    const site = sites.get(claim.site);
    if (site && claim.field === "offers") offers.set(`${addressKey(site.item)} ${claim.key}`, claim);
  }
  const kept = earlier.map((series): PriceSeries => {
    const name = `${addressKey(series.site)} ${series.key}`;
    const claim = offers.get(name);
    offers.delete(name);
    const gone = changes?.list.some(
      ({ status, field, site, subject }) =>
        status === "removed" &&
        field === "offer" &&
        addressKey(site) === addressKey(series.site) &&
        subject === series.offer,
    );
    // A price of another page than before is no change of the price.
    if (claim ? claim.status === "notComparable" : !gone) return series;
    const label = sites.get(claim?.site ?? "")?.label ?? series.label;
    return { ...series, label, points: withPoint(series.points, { at: date, price: claim?.price ?? null }) };
  });
  const begun = [...offers.values()].flatMap((claim): PriceSeries[] => {
    const site = sites.get(claim.site);
    if (!site || !claim.price) return [];
    return [
      {
        ...{ site: site.item, label: site.label, offer: claim.subject, key: claim.key },
        points: [{ at: date, price: claim.price }],
      },
    ];
  });
  return [...kept, ...begun].slice(0, MAX_SERIES);
}

/** Of equal prices in a row only the first and the last are kept. */
function withPoint(points: readonly Point[], point: Point): Point[] {
  const last = points.at(-1);
  if (last && last.at >= point.at) return [...points];
  const repeats = points.length >= 2 && isSame(last, point) && isSame(points.at(-2), point);
  return [...(repeats ? points.slice(0, -1) : points), point].slice(-MAX_POINTS);
}

const isSame = (a: Point | undefined, b: Point): boolean => JSON.stringify(a?.price) === JSON.stringify(b.price);

/** Whether the price was ever another. */
export const hasMoved = ({ points }: PriceSeries): boolean => points.some((point) => !isSame(points[0], point));
