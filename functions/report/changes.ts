import { addressKey } from "../../pipelines/market-analysis/page-address.ts";
import { money } from "../../pipelines/market-analysis/price.ts";
import { isRead } from "./coverage.ts";
import { plainText, withoutNoise } from "./noise.ts";
import type { Change, Changes, Coverage, EarlierReport, NumberedClaim, SitePage, Status } from "./report.ts";
import { pathOf } from "./site.ts";

/** What of a report is compared. */
export type Comparable = Pick<EarlierReport, "date" | "run" | "workload" | "competitors" | "claims" | "coverage">;

export interface Compared {
  readonly changes: Changes;
  /** Those of the later report, each with its status. */
  readonly claims: NumberedClaim[];
  readonly caveats: string[];
}

/** Changes that a report lists. */
const MAX_LISTED = 500;

/** What is new, the same, changed or removed since the earlier report; and what cannot be said, because a page was not read then or now. */
export function changesSince(before: Comparable, now: Comparable): Compared {
  const keys = [...new Set([...sitesOf(now), ...sitesOf(before)])];
  const sites = keys.map((key) => compareSite(viewOf(before, key), viewOf(now, key), before.date));
  const all = sites.flatMap(({ list }) => list).sort((a, b) => Number(b.material) - Number(a.material));
  const statuses = new Map(sites.flatMap(({ claims }) => [...claims]));
  return {
    changes: {
      since: before.date,
      run: before.run,
      workload: before.workload,
      sites: sites.map(({ site, label, status }) => ({ site, label, status })),
      pages: sites.flatMap(({ pages }) => pages),
      list: all.slice(0, MAX_LISTED),
      same: [...statuses.values()].filter((status) => status === "same").length,
      noise: sites.reduce((sum, { noise }) => sum + noise, 0),
      omitted: Math.max(0, all.length - MAX_LISTED),
    },
    claims: now.claims.map((claim) => {
      const status = statuses.get(claim.id);
      return status === undefined ? claim : { ...claim, status };
    }),
    caveats: sites.flatMap(({ caveats }) => caveats),
  };
}

const sitesOf = ({ competitors, coverage }: Comparable): string[] => [
  ...competitors.map(({ item }) => addressKey(item)),
  ...coverage.map(({ site }) => addressKey(site)),
];

/** A site in one of the two reports. */
interface SiteView {
  readonly item: string;
  readonly label: string;
  /** Whether the workload named it. */
  readonly isNamed: boolean;
  /** Pages that were read; none: it could not be. */
  readonly pages: readonly SitePage[];
  readonly claims: readonly NumberedClaim[];
  readonly coverage: readonly Coverage[];
}

function viewOf({ competitors, claims, coverage }: Comparable, key: string): SiteView {
  const competitor = competitors.find(({ item }) => addressKey(item) === key);
  const own = coverage.filter(({ site }) => addressKey(site) === key);
  const item = competitor?.item ?? own[0]?.site ?? key;
  return {
    item,
    label: competitor?.label ?? item,
    isNamed: competitor !== undefined || own.length > 0,
    pages: competitor?.pages ?? [],
    claims: claims.filter(({ site }) => site === competitor?.id),
    coverage: own,
  };
}

type ClaimStatus = NonNullable<NumberedClaim["status"]>;

interface ComparedSite extends Pick<Changes, "pages" | "list" | "noise"> {
  readonly site: string;
  readonly label: string;
  readonly status: Status;
  /** By the later report's numbers. */
  readonly claims: ReadonlyMap<string, ClaimStatus>;
  readonly caveats: readonly string[];
}

function compareSite(before: SiteView, now: SiteView, since: string): ComparedSite {
  const { item: site, label } = now.pages.length || !before.pages.length ? now : before;
  const day = since.slice(0, 10);
  const about = { site, label, field: "site", subject: label };
  const whole = (status: Exclude<Status, "same">, sentence?: string, material = false): ComparedSite => ({
    ...{ site, label, status },
    pages: (now.pages.length ? now : before).pages.map(({ url }) => ({ site, url, status })),
    list: sentence === undefined ? [] : [{ ...about, status, material, sentence }],
    noise: 0,
    claims: new Map(now.claims.map(({ id }) => [id, status === "new" ? "new" : "notComparable"])),
    caveats: [],
  });
  if (!before.isNamed) return whole("new", `${label} was not part of the earlier run.`);
  if (!now.isNamed) return whole("removed", `${label} is no longer part of the run.`);
  if (!now.pages.length && !before.pages.length) return whole("notComparable");
  if (!before.pages.length)
    return whole(
      "notComparable",
      `${label} was read this time, and could not be on ${day}: there is nothing to compare.`,
    );
  if (!now.pages.length) {
    const [why] = now.coverage;
    return whole(
      "notComparable",
      `${label} could not be read this time (${why?.reason}: ${why?.message}); on ${day} it could.`,
      why !== undefined && REFUSED.has(why.state),
    );
  }
  return comparePages(before, now, { site, label, day });
}

/** The site turns the visitor away, where before it did not. */
const REFUSED: ReadonlySet<Coverage["state"]> = new Set(["blocked", "robots", "consent", "login"]);

const keyOf = ({ kind, capture }: SitePage): string => (kind === "home" ? "home" : addressKey(capture.finalUrl));

/** How one page of a site was read, then and now. */
interface PagePair {
  readonly before: SitePage | undefined;
  readonly now: SitePage | undefined;
}

function comparePages(
  before: SiteView,
  now: SiteView,
  { site, label, day }: { readonly site: string; readonly label: string; readonly day: string },
): ComparedSite {
  const pairs = new Map<string, PagePair>();
  for (const page of before.pages) pairs.set(keyOf(page), { before: page, now: undefined });
  for (const page of now.pages) pairs.set(keyOf(page), { before: pairs.get(keyOf(page))?.before, now: page });
  const sources = {
    before: new Map(before.pages.map((page) => [page.id, pairs.get(keyOf(page))])),
    now: new Map(now.pages.map((page) => [page.id, pairs.get(keyOf(page))])),
  };
  const found = compareClaims(before, now, sources, { site, label });
  const touched = new Set(
    found.list.flatMap(({ status, url }) => (status === "notComparable" || !url ? [] : addressKey(url))),
  );
  const pages = [...pairs.values()].map((pair) => ({
    site,
    url: (pair.now ?? pair.before)?.url ?? site,
    status: pageStatus(pair, now.coverage, touched),
  }));
  const gone = pages.filter(({ status }) => status === "removed");
  const list = [
    ...found.list,
    ...gone.map(
      ({ url }): Change => ({
        ...{ site, label, status: "removed", field: "page", subject: pathOf(url), url, material: false },
        sentence: `${label}’s page ${pathOf(url)} is gone.`,
      }),
    ),
  ];
  const others = [...pairs.values()].filter((pair) => pair.before && pair.now && !sameAnalyst(pair));
  return {
    ...{ site, label, pages, list, noise: found.noise, claims: found.claims },
    status: list.some(({ status }) => status !== "notComparable") ? "changed" : "same",
    caveats: others.length
      ? [
          `${label}: ${nameOf(others[0]?.before)} read ${others.length === 1 ? "a page" : `${others.length} pages`} on ${day}, and ${nameOf(others[0]?.now)} this time; what only one of them found does not count as a change.`,
        ]
      : [],
  };
}

const nameOf = (page: SitePage | undefined): string => (page?.analyst.kind === "model" ? page.analyst.model : "rules");
const sameAnalyst = ({ before, now }: PagePair): boolean => nameOf(before) === nameOf(now);

function pageStatus({ before, now }: PagePair, coverage: readonly Coverage[], touched: ReadonlySet<string>): Status {
  if (!before) return "new";
  if (now) return touched.has(addressKey(now.capture.finalUrl)) ? "changed" : "same";
  const key = addressKey(before.url);
  const why = coverage.find((one) => addressKey(one.url) === key && !isRead(one));
  return why?.reason === "HttpError" && /\b(404|410)\b/.test(why.message) ? "removed" : "notComparable";
}

type Sources = ReadonlyMap<string, PagePair | undefined>;

interface ComparedClaims extends Pick<ComparedSite, "list" | "noise" | "claims"> {}

/** Claims of one site. Equal ones first, then those of one key, then those that only noise tells apart; what is left is new or removed. */
function compareClaims(
  before: SiteView,
  now: SiteView,
  sources: { readonly before: Sources; readonly now: Sources },
  names: { readonly site: string; readonly label: string },
): ComparedClaims {
  const statuses = new Map<string, ClaimStatus>();
  const list: Change[] = [];
  let noise = 0;
  const was = new Set(before.claims);
  const is = new Set(now.claims);
  const pair = (
    matches: (a: NumberedClaim, b: NumberedClaim) => boolean,
    settle: (a: NumberedClaim, b: NumberedClaim) => void,
  ) => {
    for (const b of is) {
      const a = [...was].find((one) => one.field === b.field && one.kind === b.kind && matches(one, b));
      if (!a) continue;
      was.delete(a);
      is.delete(b);
      settle(a, b);
    }
  };
  const whereSaid = (a: NumberedClaim) => sources.before.get(a.pages[0] ?? "");
  const whereSays = (b: NumberedClaim) => sources.now.get(b.pages[0] ?? "");
  const compared = (a: NumberedClaim, b: NumberedClaim) => {
    const differences = differencesOf(a, b).filter(({ field }) => field !== "features" || isSameReader(whereSays(b)));
    if (differences.length === 0) {
      if (plainText(a.value) !== plainText(b.value)) noise++;
      statuses.set(b.id, "same");
      return;
    }
    const isOnBoth = whereSaid(a)?.now !== undefined && whereSays(b)?.before !== undefined;
    const comparable = isOnBoth && (b.field === "offers" || isSameReader(whereSays(b)));
    const why = isOnBoth ? "was read by another analyst than before" : "is from another page than before";
    statuses.set(b.id, comparable ? "changed" : "notComparable");
    for (const difference of differences)
      list.push({
        ...names,
        status: comparable ? "changed" : "notComparable",
        ...difference,
        subject: b.subject,
        url: b.url,
        claim: b.id,
        material: comparable && difference.material,
        sentence: comparable
          ? difference.sentence(names.label)
          : `${names.label}’s ${subjectOf(b)} ${why}, and is not compared.`,
      });
  };
  const noisy = (_a: NumberedClaim, b: NumberedClaim) => {
    noise++;
    statuses.set(b.id, "same");
  };
  const base = ({ key }: NumberedClaim) => key.replace(/~\d+$/, "");
  pair((a, b) => base(a) === base(b) && a.value === b.value, compared);
  pair((a, b) => base(a) === base(b), compared);
  // Both of one offer: no other has its price.
  pair(
    (a, b) => a.field === "offers" && a.price != null && only(was, a) && only(is, b) && a.value === b.value,
    compared,
  );
  pair((a, b) => a.field !== "offers" && a.kind !== "metric" && withoutNoise(a.value) === withoutNoise(b.value), noisy);
  pair((a, b) => ROTATING.has(a.kind ?? "") && isWhole(whereSaid(a)?.now) && isWhole(whereSays(b)?.before), noisy);
  pair((a) => REWORDED.has(a.kind ?? ""), compared);

  for (const a of was) {
    const page = whereSaid(a);
    // One of the kind is still shown: it is another one's turn.
    if (ROTATING.has(a.kind ?? "") && page?.now && now.claims.some(({ kind }) => kind === a.kind)) {
      noise++;
      continue;
    }
    const seen = page?.now !== undefined && isWhole(page.now) && sameAnalyst(page);
    list.push(loneChange(a, names, seen ? "removed" : "notComparable", whyNot(page?.now, page)));
  }
  for (const b of is) {
    const page = whereSays(b);
    if (ROTATING.has(b.kind ?? "") && page?.before && before.claims.some(({ kind }) => kind === b.kind)) {
      noise++;
      statuses.set(b.id, "same");
      continue;
    }
    const seen = page?.before !== undefined && isWhole(page.before) && sameAnalyst(page);
    statuses.set(b.id, seen ? "new" : "notComparable");
    list.push({ ...loneChange(b, names, seen ? "new" : "notComparable", whyNot(page?.before, page)), claim: b.id });
  }
  return { list, noise, claims: statuses };
}

const only = (all: ReadonlySet<NumberedClaim>, { field, value }: NumberedClaim): boolean =>
  [...all].filter((one) => one.field === field && one.value === value).length === 1;

/** Proof of which a page shows now one, now another. */
const ROTATING: ReadonlySet<string> = new Set(["testimonial", "customer"]);
/** Proof that is said in other words or figures. */
const REWORDED: ReadonlySet<string> = new Set(["metric", "rating", "award", "guarantee"]);

/** Nothing of it was cut. */
const isWhole = (page: SitePage | undefined): boolean => page !== undefined && page.capture.truncated.length === 0;
const isSameReader = (pair: PagePair | undefined): boolean =>
  pair?.before === undefined || pair.now === undefined || sameAnalyst(pair);

function whyNot(page: SitePage | undefined, pair: PagePair | undefined): string {
  if (!page) return "its page was not read in both runs";
  return pair && isWhole(page) && !sameAnalyst(pair) ? "another analyst read its page" : "its page was cut";
}

interface Difference {
  readonly field: string;
  readonly from?: string;
  readonly to?: string;
  readonly material: boolean;
  readonly sentence: (label: string) => string;
}

/** Fields of an offer on which a strategist acts. */
const TERMS: ReadonlySet<string> = new Set(["regular price", "other prices", "trial"]);

function differencesOf(a: NumberedClaim, b: NumberedClaim): Difference[] {
  const found: Difference[] = [];
  const subject = subjectOf(b);
  if (a.field === "offers" && a.value !== b.value) found.push(priceDifference(a, b));
  if (a.field === "offers" && plainText(a.subject) !== plainText(b.subject))
    found.push({
      ...{ field: "name", from: a.subject, to: b.subject, material: true },
      sentence: (label) => `${label} renamed ${a.subject} (${a.value}) to ${b.subject}.`,
    });
  if (a.field !== "offers" && withoutNoise(a.value) !== withoutNoise(b.value)) found.push(wordingDifference(a, b));
  else if (a.kind === "metric" && plainText(a.value) !== plainText(b.value)) found.push(wordingDifference(a, b));
  for (const field of new Set([...Object.keys(a.details), ...Object.keys(b.details)])) {
    const [from, to] = [a.details[field], b.details[field]];
    if (sameDetail(field, from, to)) continue;
    found.push({
      field,
      ...(from === undefined ? {} : { from }),
      ...(to === undefined ? {} : { to }),
      material: TERMS.has(field),
      sentence: (label) => `${label}’s ${subject}: ${field} ${fromTo(from, to)}.`,
    });
  }
  return found;
}

const fromTo = (from: string | undefined, to: string | undefined): string => {
  if (from === undefined) return `named now: ${short(to ?? "")}`;
  return to === undefined ? `no longer named; before: ${short(from)}` : `changed from ${short(from)} to ${short(to)}`;
};

const withoutQuery = (address: string): string => addressKey(address.replace(/[?#].*$/s, ""));

function sameDetail(field: string, from: string | undefined, to: string | undefined): boolean {
  if (from === undefined || to === undefined) return from === to;
  // Addresses carry the marks of campaigns in their queries.
  if (field === "target") return withoutQuery(from) === withoutQuery(to);
  const parts = (text: string) => text.split(/[;,]/).map(withoutNoise).sort().join(";");
  return field === "features" ? parts(from) === parts(to) : plainText(from) === plainText(to);
}

function priceDifference(a: NumberedClaim, b: NumberedClaim): Difference {
  const [from, to] = [a.price, b.price];
  const comparable =
    from && to && from.currency === to.currency && from.period === to.period && from.per === to.per && from.amount > 0;
  return {
    ...{ field: "price", from: a.value, to: b.value, material: true },
    sentence: (label) => {
      if (!comparable || !to || to.amount === from.amount)
        return `${label}’s ${b.subject}: price changed from ${a.value} to ${b.value}.`;
      const verb = to.amount > from.amount ? "raised" : "lowered";
      const percent = Math.round((100 * Math.abs(to.amount - from.amount)) / from.amount);
      return `${label} ${verb} ${b.subject} from ${money(from.amount, from.currency)} to ${b.value} (${to.amount > from.amount ? "+" : "−"}${percent}%).`;
    },
  };
}

function wordingDifference(a: NumberedClaim, b: NumberedClaim): Difference {
  return {
    field: b.kind ?? b.field,
    ...{ from: a.value, to: b.value },
    material: b.field === "positioning" || b.kind === "guarantee",
    sentence: (label) => `${label}’s ${subjectOf(b)} changed from “${short(a.value)}” to “${short(b.value)}”.`,
  };
}

/** A claim that only one of the two reports has. */
function loneChange(
  claim: NumberedClaim,
  { site, label }: { readonly site: string; readonly label: string },
  status: "new" | "removed" | "notComparable",
  why: string,
): Change {
  const { field, kind, subject, value, url } = claim;
  const what = field === "offers" ? `${subject} (${value})` : `“${short(value)}”`;
  const sentences = {
    new: `${label} has a new ${NOUN[kind ?? field]}: ${what}.`,
    removed: `${label} no longer has the ${NOUN[kind ?? field]} ${what}.`,
    notComparable: `${label}’s ${NOUN[kind ?? field]} ${what} cannot be compared: ${why}.`,
  };
  return {
    ...{ site, label, status, url, subject },
    field: field === "offers" ? "offer" : (kind ?? field),
    ...(status === "new" ? { to: value } : { from: value }),
    material: status !== "notComparable" && (field === "offers" || field === "positioning" || kind === "guarantee"),
    sentence: sentences[status],
  };
}

const NOUN: Readonly<Record<string, string>> = {
  positioning: "main claim",
  audience: "audience",
  offers: "offer",
  callsToAction: "call to action",
  proof: "proof",
  technology: "technology",
  testimonial: "testimonial",
  customer: "named customer",
  metric: "figure",
  rating: "rating",
  award: "award",
  guarantee: "guarantee",
};

const subjectOf = ({ field, kind, subject }: NumberedClaim): string =>
  field === "offers" ? subject : (NOUN[kind ?? field] ?? field);

const short = (text: string): string => (text.length <= 120 ? text : `${text.slice(0, 119)}…`.toWellFormed());
