import type { Finding, Findings } from "../../engine/findings.ts";
import { pageItemSchema } from "../../pipelines/market-analysis/capture.ts";
import { addressKey } from "../../pipelines/market-analysis/page-address.ts";
import type { Competitor, Coverage } from "./report.ts";

/** The page that a finding is about, and the site that it belongs to. */
export function pageOf({ item }: Finding): Pick<Coverage, "site" | "url" | "kind"> {
  if (typeof item === "string") return { site: item, url: item, kind: "home" };
  const page = pageItemSchema.safeParse(item);
  if (!page.success) return { site: JSON.stringify(item ?? null), url: JSON.stringify(item ?? null), kind: "other" };
  return page.data;
}

/** The artifact keys of a page that was captured and analyzed. */
export function keysOf({
  outcome,
  artifacts,
}: Finding): { readonly capture: string; readonly analysis: string } | undefined {
  const { capture, analysis } = { capture: artifacts["capture"], analysis: artifacts["analysis"] };
  return outcome === "succeeded" && capture && analysis ? { capture, analysis } : undefined;
}

/** By the reason that a step gives. */
const STATES: readonly (readonly [RegExp, Coverage["state"]])[] = [
  [/robots/i, "robots"],
  [/consent/i, "consent"],
  [/login|signin|unauthorized|authentication/i, "login"],
  [/locale|language|country/i, "locale"],
  [/blocked|captcha|forbidden/i, "blocked"],
  [/capped|toomany|limit/i, "capped"],
];

export const stateOf = (reason: string): Coverage["state"] =>
  STATES.find(([pattern]) => pattern.test(reason))?.[1] ?? "failed";

/** A page that was read, if only in part. */
export const isRead = ({ state, reason }: Coverage): boolean =>
  state === "read" || (state === "capped" && reason === CUT);
/** Reason of a page that was read, but not whole. */
export const CUT = "Truncated";

/** Every page that was to be read: those that were first, then those that were not. */
export function coverageOf({ results }: Findings, competitors: readonly Competitor[]): Coverage[] {
  const read = competitors.flatMap(({ item, pages }) =>
    pages.map(
      ({ url, kind, capture: { truncated } }): Coverage => ({
        site: item,
        url,
        kind,
        state: truncated.length ? "capped" : "read",
        reason: truncated.length ? CUT : "",
        message: truncated.join("; "),
      }),
    ),
  );
  // A discovered page names its site by the address that scrape made of it.
  const named = new Map(competitors.map(({ item }) => [addressKey(item), item]));
  const missing = results.flatMap((finding): Coverage[] => {
    if (keysOf(finding)) return [];
    const { step, outcome, reason, message } = finding;
    const why =
      outcome === "failed"
        ? { reason: reason ?? "Failed", message: message ?? "the step gave no message" }
        : { reason: "NotAnalyzed", message: `step ${step} ${outcome} without an analysis of the page` };
    const page = pageOf(finding);
    return [{ ...page, site: named.get(addressKey(page.site)) ?? page.site, state: stateOf(why.reason), ...why }];
  });
  return [...read, ...missing];
}

/** Sites that were to be read, and those of which a page was. */
export function siteShare(coverage: readonly Coverage[]): { readonly read: number; readonly all: number } {
  const read = new Set(coverage.filter(isRead).map(({ site }) => site));
  return { read: read.size, all: new Set(coverage.map(({ site }) => site)).size };
}
