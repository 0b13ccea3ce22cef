import { html } from "hono/html";
import { safeLink } from "../link.ts";
import type { Competitor, NumberedClaim } from "../report.ts";
import { shortAddress } from "../site.ts";
import type { Html } from "./html.ts";

const section = (title: string, body: Html | ""): Html | "" => (body === "" ? "" : html`<h4>${title}</h4>${body}`);

/** Data URIs: the top of the page, and claims by number. */
export interface CompetitorPictures {
  readonly site: string | null | undefined;
  readonly claims: ReadonlyMap<string, string>;
}

/** One competitor: how its page looks, what its pages say, claim by claim, with the text that says so and where it stands. */
export function competitorPage(
  { id, label, item, pages, analysis }: Competitor,
  claims: readonly NumberedClaim[],
  pictures: CompetitorPictures,
): Html {
  const { design, caveats } = analysis;
  const of = (field: NumberedClaim["field"]) => claims.filter((claim) => claim.field === field);
  const list = (field: NumberedClaim["field"], none: Html | "" = "") =>
    of(field).length
      ? html`<ul class="plain claims">${of(field).map((claim) => claimItem(claim, pages, pictures.claims.get(claim.id)))}</ul>`
      : none;
  const [home] = pages;
  return html`<section class="page" id="${id}" aria-labelledby="${id}-name"><h3 id="${id}-name">${label}</h3>
${pages.map(
  ({ url, kind, capture }, at) =>
    html`<p class="meta">${outLink(url, at === 0 ? item : url)}${capture.redirects.length ? html`, redirected to ${capture.finalUrl}` : ""} · ${kind} · “${capture.title}” · captured ${capture.capturedAt.slice(0, 10)}</p>`,
)}
${pictures.site ? html`<img class="shot" src="${pictures.site}" alt="The top of ${label}’s page as captured">` : html`<p class="notice">No picture of ${home?.url ?? item} could be made.</p>`}
${section("Positioning", list("positioning", html`<p>The pages make no main claim.</p>`))}
${section("Audience", list("audience"))}
${section("Offers", list("offers", html`<p>The pages name no offer.</p>`))}
${section("Calls to action", list("callsToAction"))}
${section("Proof", list("proof", html`<p>None shown.</p>`))}
${section(
  "Design",
  html`${swatches(design.palette)}<p class="meta">${design.palette
    .filter(({ share }) => share >= 0.005)
    .map(({ hex, share }) => `${hex} ${Math.round(share * 100)}%`)
    .join(", ")}${design.layout.length ? ` · ${design.layout.join(", ")}` : ""}</p>`,
)}
${section("Technology", of("technology").length ? html`<p>${of("technology").map((claim, at) => html`${at ? ", " : ""}<span id="${claim.id}">${claim.value}</span>`)}</p>` : "")}
${caveats.length ? html`<div class="notice">${caveats.map((caveat) => html`<p>${caveat}</p>`)}</div>` : ""}
</section>`;
}

/** What a link of the report to a claim leads to. */
function claimItem(
  { id, field, kind, subject, value, details, quote, url, at, pages: said, status, correctedBy }: NumberedClaim,
  pages: Competitor["pages"],
  crop: string | undefined,
): Html {
  const { target, features, ...terms } = details;
  const what =
    field === "offers"
      ? html`<strong>${subject}</strong>: ${value}${Object.entries(terms).map(([name, text]) => html`; ${name}: ${text}`)}${features ? html`. ${features}` : ""}`
      : field === "callsToAction"
        ? outLink(target, value)
        : kind
          ? html`<strong>${kind}</strong>: ${value}`
          : field === "positioning"
            ? html`<strong>${value}</strong>`
            : value;
  const also = pages.filter((page) => said.slice(1).includes(page.id));
  return html`<li id="${id}"><span class="number">${id}</span> ${what}${status === "new" || status === "changed" ? html` <span class="tag">${status}</span>` : ""}${correctedBy ? html` <span class="tag">corrected by ${correctedBy}</span>` : ""}${quote === value ? "" : html`<blockquote>“${quote}”</blockquote>`}
<span class="meta">${outLink(url, shortAddress(url))}${also.map((page) => html`, also ${outLink(page.capture.finalUrl, shortAddress(page.capture.finalUrl))}`)} · ${at.slice(0, 16).replace("T", " ")} UTC</span>${crop ? html`<img class="crop" src="${crop}" alt="${`“${quote}” as the page shows it`}">` : ""}</li>`;
}

/** A link that a reader may follow; else its text. */
function outLink(address: string | undefined, text: string): Html {
  const href = safeLink(address);
  return href ? html`<a href="${href}" rel="noreferrer noopener">${text}</a>` : html`${text}`;
}

function swatches(palette: Competitor["analysis"]["design"]["palette"]): Html | "" {
  const total = palette.reduce((sum, { share }) => sum + share, 0);
  if (total === 0) return "";
  let x = 0;
  return html`<svg class="swatches" viewBox="0 0 100 3" preserveAspectRatio="none" role="img" aria-label="Palette">${palette.map(
    ({ hex, share }) => {
      const width = (share / total) * 100;
      const rect = html`<rect x="${x.toFixed(2)}" y="0" width="${width.toFixed(2)}" height="3" fill="${hex}"/>`;
      x += width;
      return rect;
    },
  )}</svg>`;
}
