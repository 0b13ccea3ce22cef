import { html } from "hono/html";
import { describePrice } from "../../../pipelines/market-analysis/price.ts";
import { safeLink } from "../link.ts";
import type { Competitor } from "../report.ts";
import type { Html } from "./html.ts";

const quote = (text: string): Html => html`<blockquote>“${text}”</blockquote>`;
const section = (title: string, body: Html | ""): Html | "" => (body === "" ? "" : html`<h4>${title}</h4>${body}`);

/** One competitor: how its page looks, what it says, and the text that says so. `picture`: a data URI. */
export function competitorPage(
  { id, label, item, analysis, capture }: Competitor,
  picture: string | null | undefined,
): Html {
  const { positioning, audience, offers, callsToAction, proof, technology, design, caveats } = analysis;
  const address = safeLink(item);
  const items = (list: readonly { value: string; evidence: { text: string } }[]) =>
    list.length
      ? html`<ul class="plain">${list.map(({ value, evidence }) => html`<li>${value}${evidence.text === value ? "" : quote(evidence.text)}</li>`)}</ul>`
      : "";
  return html`<section class="page" id="${id}" aria-labelledby="${id}-name"><h3 id="${id}-name">${label}</h3>
<p class="meta">${address ? html`<a href="${address}" rel="noreferrer noopener">${item}</a>` : item}${capture.redirects.length ? html`, redirected to ${capture.finalUrl}` : ""} · “${capture.title}” · captured ${capture.capturedAt.slice(0, 10)}</p>
${picture ? html`<img class="shot" src="${picture}" alt="The top of ${label}’s page as captured">` : html`<p class="notice">No picture of this page could be made.</p>`}
${section("Positioning", positioning ? html`<p><strong>${positioning.value}</strong></p>${positioning.evidence.text === positioning.value ? "" : quote(positioning.evidence.text)}` : html`<p>The page makes no main claim.</p>`)}
${section("Audience", items(audience))}
${section("Offers", offers.length ? html`<ul class="plain">${offers.map(({ name, price, features, evidence }) => html`<li><strong>${name}</strong>: ${price ? describePrice(price) : "no price named"}${features.length ? html`. ${features.join("; ")}` : ""}${quote(evidence.text)}</li>`)}</ul>` : html`<p>The page names no offer.</p>`)}
${section(
  "Calls to action",
  callsToAction.length
    ? html`<ul class="plain">${callsToAction.map(({ text, target }) => {
        const href = safeLink(target);
        return html`<li>${href ? html`<a href="${href}" rel="noreferrer noopener">${text}</a>` : text}</li>`;
      })}</ul>`
    : "",
)}
${section("Proof", proof.length ? html`<ul class="plain">${proof.map(({ kind, value, evidence }) => html`<li><strong>${kind}</strong>: ${value}${evidence.text === value ? "" : quote(evidence.text)}</li>`)}</ul>` : html`<p>None shown.</p>`)}
${section(
  "Design",
  html`${swatches(design.palette)}<p class="meta">${design.palette
    .filter(({ share }) => share >= 0.005)
    .map(({ hex, share }) => `${hex} ${Math.round(share * 100)}%`)
    .join(", ")}${design.layout.length ? ` · ${design.layout.join(", ")}` : ""}</p>`,
)}
${section("Technology", technology.length ? html`<p>${technology.map(({ value }) => value).join(", ")}</p>` : "")}
${caveats.length ? html`<div class="notice">${caveats.map((caveat) => html`<p>${caveat}</p>`)}</div>` : ""}
</section>`;
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
