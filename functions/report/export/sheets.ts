import { describePrice } from "../../../pipelines/market-analysis/price.ts";
import { matrixOf } from "../matrix.ts";
import { monthly } from "../price.ts";
import type { NumberedClaim, Report } from "../report.ts";
import { STATE_NAMES } from "../wording.ts";

/** An amount of a currency, or of the time. */
export type Cell =
  | string
  | number
  | boolean
  | { readonly amount: number; readonly currency: string }
  | { readonly at: string }
  | null
  | undefined;

/** A table of the report: a sheet of the XLSX, or a CSV. */
export interface Sheet {
  readonly name: string;
  /** Titles, with the width that their content takes, in characters. */
  readonly columns: readonly (readonly [title: string, width: number])[];
  readonly rows: readonly (readonly Cell[])[];
}

export function sheetsOf(report: Report): Sheet[] {
  return [sites(report), offersSheet(report), prices(report), claimsSheet(report), changes(report), coverage(report)];
}

function sites(report: Report): Sheet {
  const status = new Map(report.changes?.sites.map((one) => [one.site, one.status]));
  const rows = new Map(matrixOf(report).map((row) => [row.id, row]));
  return {
    name: "Sites",
    columns: [
      ["Site", 28],
      ["Address", 36],
      ["Pages read", 11],
      ["Entry a month", 14],
      ["Counted per", 12],
      ["Offers", 8],
      ["Free offer", 10],
      ["Trial", 10],
      ["Guarantee", 10],
      ["Proof", 8],
      ["Features", 9],
      ["Primary call", 24],
      ["Themes", 30],
      ["Main claim", 60],
      ["Since the earlier run", 20],
    ],
    rows: report.competitors.map((c) => {
      const row = rows.get(c.id);
      return [
        c.label,
        c.item,
        c.pages.length,
        c.entryMonthly === null ? null : { amount: c.entryMonthly, currency: report.currency },
        c.entryPer,
        row?.offers,
        c.free,
        row?.trial ?? "no",
        row?.guarantee,
        row?.proof,
        row?.features,
        row?.primaryCall,
        c.themes.join(", "),
        c.analysis.positioning?.value,
        status.get(c.item),
      ];
    }),
  };
}

/** Every offer, with what it says of prices. */
export function offersSheet({ claims, competitors, currency }: Report): Sheet {
  const label = new Map(competitors.map((c) => [c.id, c.label]));
  return {
    name: "Offers",
    columns: [
      ["Site", 28],
      ["Offer", 24],
      ["Price", 14],
      ["Currency", 9],
      ["Period", 9],
      ["Counted per", 12],
      ["Lower bound", 12],
      [currency ? `${currency} a month` : "A month", 14],
      ["As published", 28],
      ["Regular price", 18],
      ["Other prices", 30],
      ["Trial", 10],
      ["Features", 60],
      ["Claim", 8],
      ["Page", 40],
    ],
    rows: claims
      .filter(({ field }) => field === "offers")
      .map(({ id, site, subject, value, price, details, url }) => {
        const amount = price ? monthly(price, currency) : null;
        return [
          label.get(site),
          subject,
          price ? { amount: price.amount, currency: price.currency } : null,
          price?.currency,
          price?.period,
          price?.per,
          price?.from,
          amount === null ? null : { amount, currency },
          value,
          details["regular price"],
          details["other prices"],
          details["trial"],
          details["features"],
          id,
          url,
        ];
      }),
  };
}

function prices({ history, currency }: Report): Sheet {
  return {
    name: "Prices over time",
    columns: [
      ["Site", 28],
      ["Offer", 24],
      ["Seen", 18],
      ["Price", 14],
      ["Currency", 9],
      ["As published", 28],
      [currency ? `${currency} a month` : "A month", 14],
    ],
    rows: history.flatMap(({ label, offer, points }) =>
      points.map(({ at, price }) => {
        const amount = price ? monthly(price, currency) : null;
        return [
          label,
          offer,
          { at },
          price ? { amount: price.amount, currency: price.currency } : null,
          price?.currency,
          price ? describePrice(price) : "none named",
          amount === null ? null : { amount, currency },
        ];
      }),
    ),
  };
}

/** Every finding. */
export function claimsSheet({ claims, competitors }: Report): Sheet {
  const label = new Map(competitors.map((c) => [c.id, c.label]));
  return {
    name: "Claims",
    columns: [
      ["Claim", 8],
      ["Site", 28],
      ["Field", 16],
      ["Kind", 12],
      ["Subject", 24],
      ["Value", 50],
      ["Quote", 60],
      ["Page", 40],
      ["Captured", 18],
      ["Analyst", 12],
      ["Since the earlier run", 20],
    ],
    rows: claims.map((claim: NumberedClaim) => [
      claim.id,
      label.get(claim.site),
      claim.field,
      claim.kind,
      claim.subject,
      claim.value,
      claim.quote,
      claim.url,
      { at: claim.at },
      claim.analyst,
      claim.status,
    ]),
  };
}

function changes({ changes: compared }: Report): Sheet {
  return {
    name: "Changes",
    columns: [
      ["Material", 10],
      ["Status", 16],
      ["Site", 28],
      ["Field", 16],
      ["Subject", 24],
      ["From", 36],
      ["To", 36],
      ["In words", 70],
      ["Claim", 8],
      ["Page", 40],
    ],
    rows: (compared?.list ?? []).map((one) => [
      one.material,
      one.status,
      one.label,
      one.field,
      one.subject,
      one.from,
      one.to,
      one.sentence,
      one.claim,
      one.url,
    ]),
  };
}

function coverage({ coverage: pages }: Report): Sheet {
  return {
    name: "Coverage",
    columns: [
      ["Site", 36],
      ["Page", 44],
      ["Kind", 12],
      ["State", 20],
      ["Reason", 20],
      ["What happened", 70],
    ],
    rows: pages.map(({ site, url, kind, state, reason, message }) => [
      site,
      url,
      kind,
      STATE_NAMES[state],
      reason,
      message,
    ]),
  };
}
