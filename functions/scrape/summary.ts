import type { Summary } from "../../engine/summary.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";
import { fact, pictureOf } from "../../pipelines/market-analysis/summary.ts";

/** What a reviewer sees of a capture. */
export function summaryOf(capture: Capture): Summary {
  const { finalUrl, title, url, status, robots, consentClosed, redirects, egress, truncated, discovery } = capture;
  return {
    title: title || new URL(finalUrl).host,
    subtitle: url,
    facts: [
      fact("Status", String(status)),
      fact("robots.txt", robots),
      ...(capture.locale === undefined ? [] : [fact("Asked for", capture.locale)]),
      fact("Consent banner", consentClosed ? `closed with “${consentClosed}”` : "none seen"),
      ...redirects.map((from) => fact("Redirects", from)),
      ...(discovery?.chosen.map((page) => fact("Further page", page.kind, { url: page.url })) ?? []),
      ...egress.refused.map(({ host, count, reason }) => fact("Refused requests", `${host} ×${count} (${reason})`)),
    ],
    pictures: [pictureOf(capture)],
    caveats: [...truncated, ...(discovery?.caveats ?? [])],
  };
}

/** One line for people, at most 256 characters. */
export function describe({ status, title, finalUrl, egress, discovery }: Capture): string {
  const refused = egress.refused.reduce((sum, { count }) => sum + count, 0);
  const page = `${status} ${title || new URL(finalUrl).host}`.slice(0, 180).toWellFormed();
  const further = discovery?.chosen.length ?? 0;
  return [
    page,
    ...(further === 0 ? [] : [further === 1 ? "1 further page" : `${further} further pages`]),
    ...(refused === 0 ? [] : [`${refused} requests refused`]),
  ].join("; ");
}
