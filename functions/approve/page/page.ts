import { html, raw } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { ReviewView } from "../load.ts";
import { type PictureUrl, siteCard, siteRow } from "./site.ts";
import { STYLE } from "./style.ts";

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

export interface PageOptions {
  readonly pictureUrl: PictureUrl;
  readonly reportUrl: (format: string) => string;
  /** What went wrong with the form, to be shown above it. */
  readonly problem?: string;
  /** The comment as it was typed: an error must not lose it. */
  readonly comment?: string;
}

/** The review page. No script; every value is escaped by the template. */
export function reviewPage(view: ReviewView, options: PageOptions): Html {
  const { review, objective, sites } = view;
  const { namespace, name } = review.workload;
  const failed = sites.filter((site) => site.failure).length;
  const cost = review.costSoFar;
  return document(
    `Review of ${name}`,
    html`<p class="soft">Review of ${namespace}/${name}</p>
      <h1>${objective}</h1>
      ${outcome(view, options)}
      <dl class="facts">
        <div><dt>Sites</dt><dd>${sites.length - failed} analyzed, ${failed} failed</dd></div>
        <div><dt>Cost so far</dt><dd>${usd(cost.costUsd)}, ${cost.inputTokens + cost.outputTokens} tokens</dd></div>
        <div><dt>Approving costs at most</dt><dd>${usd(review.costOfApproving)}</dd></div>
        <div><dt>Without a decision by ${minute(review.timeoutAt)}</dt><dd>${review.onTimeout === "Approve" ? "approved" : "rejected"}</dd></div>
        <div><dt>Digest of these findings</dt><dd><code title="${review.digest}">${review.digest.slice(0, 12)}</code></dd></div>
      </dl>
      <h2>At a glance</h2>
      <div class="scroll" tabindex="0" role="region" aria-label="All sites at a glance"><table>
        <thead><tr><th>Site</th><th>Positioning</th><th>Prices</th><th>First call to action</th><th>Mind</th></tr></thead>
        <tbody>${sites.map(siteRow)}</tbody>
      </table></div>
      ${review.decision ? "" : form(view, options)}
      <h2>Site by site</h2>
      ${sites.map((site, index) => siteCard(site, index, options.pictureUrl))}`,
  );
}

/** 2026-01-31 09:30 UTC */
function minute(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 16)} UTC`;
}

function usd(dollars: number): string {
  return dollars === 0 ? "nothing" : `$${dollars.toFixed(4)}`;
}

function outcome({ review }: ReviewView, { reportUrl }: PageOptions): Html | "" {
  const { decision } = review;
  if (!decision) return html`<p><a href="#decide">Decide</a></p>`;
  return html`<div class="notice"><strong>${decision.decision === "approved" ? "Approved" : "Rejected"}</strong> by ${decision.by} at ${minute(decision.at)}
    ${decision.comment ? html`<blockquote>${decision.comment}</blockquote>` : ""}
    ${review.report ? html`<p>${Object.keys(review.report).map((format) => html`<a href="${reportUrl(format)}">Report (${format})</a> `)}</p>` : ""}</div>`;
}

function form({ review }: ReviewView, { problem, comment = "" }: PageOptions): Html {
  return html`<h2 id="decide">Your decision</h2>
    ${problem ? html`<div class="notice bad" role="alert">${problem}</div>` : ""}
    <form method="post">
      <input type="hidden" name="digest" value="${review.digest}">
      <label for="comment">Comment, for the report's author and its readers (optional)</label>
      <textarea id="comment" name="comment" maxlength="4000">${comment}</textarea>
      <button class="go" name="decision" value="approved">Approve and write the report</button>
      <button class="stop" name="decision" value="rejected">Reject</button>
    </form>`;
}

/** A page that only says something. */
export function messagePage(title: string, message: string): Html {
  return document(title, html`<h1>${title}</h1><p>${message}</p>`);
}

function document(title: string, body: Html): Html {
  return html`<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>${title}</title>
  <style>${raw(STYLE)}</style>
</head>
<body><a class="skip" href="#decide">Skip to the decision</a><main>${body}</main></body>
</html>`;
}
