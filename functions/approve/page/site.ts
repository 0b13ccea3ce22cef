import { html } from "hono/html";
import type { HtmlEscapedString } from "hono/utils/html";
import type { Analysis, Price } from "../../../pipeline/analysis.ts";
import type { SiteView } from "../load.ts";

type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** Where the review page finds a picture. */
export type PictureUrl = (key: string) => string;

export function siteRow(view: SiteView, index: number): Html {
  const { analysis, failure } = view;
  const name = analysis?.name ?? new URL(view.site).host;
  return html`<tr>
    <td><a href="#site-${index}">${name}</a></td>
    <td>${analysis?.positioning?.value ?? ""}${failure ? html`<span class="failed">${failure.reason}</span>` : ""}</td>
    <td>${analysis ? priceRange(analysis) : ""}</td>
    <td>${analysis?.callsToAction[0]?.text ?? ""}</td>
    <td>${analysis?.caveats.join("; ") ?? failure?.message ?? ""}</td>
  </tr>`;
}

export function siteCard(view: SiteView, index: number, pictureUrl: PictureUrl): Html {
  const { analysis, capture, failure } = view;
  return html`<article id="site-${index}">
    <div>
      ${
        capture
          ? html`<a href="${pictureUrl(capture.artifacts.fullPage)}"><img loading="lazy" width="${capture.viewport.width}" height="${capture.viewport.height}" src="${pictureUrl(capture.artifacts.screenshot)}" alt="The page ${view.site} as it was seen"></a>`
          : ""
      }
    </div>
    <div>
      <h3>${analysis?.name ?? new URL(view.site).host}</h3>
      <p class="soft">${view.site}</p>
      ${failure ? html`<p class="failed">${failure.step} failed: ${failure.reason}. ${failure.message}</p>` : ""}
      ${analysis ? facts(analysis) : ""}
    </div>
  </article>`;
}

function facts(analysis: Analysis): Html {
  const { positioning, audience, offers, callsToAction, proof, caveats } = analysis;
  return html`
    ${positioning ? html`<p><strong>${positioning.value}</strong></p>` : ""}
    ${caveats.map((caveat) => html`<p class="failed">${caveat}</p>`)}
    ${group(
      `Offers (${offers.length})`,
      offers.map(({ name, price, evidence }) => ({
        value: `${name}: ${price ? priceText(price) : "no price named"}`,
        quote: evidence.text,
      })),
    )}
    ${group(
      `Calls to action (${callsToAction.length})`,
      callsToAction.map(({ text, evidence }) => ({ value: text, quote: evidence.text })),
    )}
    ${group(
      `Audience (${audience.length})`,
      audience.map(({ value, evidence }) => ({ value, quote: evidence.text })),
    )}
    ${group(
      `Proof (${proof.length})`,
      proof.map(({ value, evidence }) => ({ value, quote: evidence.text })),
    )}`;
}

function group(title: string, entries: readonly { value: string; quote: string }[]): Html | "" {
  if (entries.length === 0) return "";
  return html`<details><summary>${title}</summary><ul>${entries.map(
    ({ value, quote }) =>
      html`<li>${value}${quote && quote !== value ? html`<blockquote>${quote}</blockquote>` : ""}</li>`,
  )}</ul></details>`;
}

function priceRange({ offers }: Analysis): string {
  const prices = offers.flatMap(({ price }) => (price ? [price] : [])).toSorted((a, b) => a.amount - b.amount);
  const [cheapest] = prices;
  const dearest = prices.at(-1);
  if (!cheapest || !dearest) return "none named";
  return cheapest === dearest ? priceText(cheapest) : `${priceText(cheapest)} to ${priceText(dearest)}`;
}

function priceText({ amount, currency, period, per, from }: Price): string {
  if (amount === 0) return "free";
  const money = new Intl.NumberFormat("en", {
    style: "currency",
    currency,
    minimumFractionDigits: Number.isInteger(amount) ? 0 : 2,
  }).format(amount);
  return `${from ? "from " : ""}${money}${per ? ` per ${per}` : ""}${period === "once" ? "" : ` a ${period}`}`;
}
