import type { Analysis } from "../../../pipelines/market-analysis/analysis.ts";
import type { Cite } from "./evidence.ts";
import type { PageDocument } from "./visible.ts";

/** Marks of technologies, in the addresses of scripts and styles or in the markup. */
const MARKS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ["WordPress", /wp-content|wp-includes/i],
  ["Shopify", /cdn\.shopify\.com|shopify\.theme/i],
  ["Wix", /static\.wixstatic\.com/i],
  ["Squarespace", /squarespace\.com/i],
  ["Webflow", /data-wf-page|webflow\.js/i],
  ["Next.js", /__NEXT_DATA__|\/_next\//],
  ["Nuxt", /__NUXT__|\/_nuxt\//],
  ["React", /data-reactroot|react(?:-dom)?(?:\.production)?(?:\.min)?\.js/i],
  ["Vue", /data-v-app|vue(?:\.runtime)?(?:\.global)?(?:\.prod)?(?:\.min)?\.js/i],
  ["Angular", /ng-version=/i],
  ["Svelte", /class="[^"]*\bsvelte-[a-z0-9]{5,}/],
  ["Bootstrap", /bootstrap(?:\.bundle)?(?:\.min)?\.(?:js|css)|startbootstrap/i],
  ["Tailwind CSS", /tailwind(?:css)?/i],
  ["jQuery", /jquery(?:-\d[\d.]*)?(?:\.slim)?(?:\.min)?\.js/i],
  ["Font Awesome", /font-?awesome/i],
  ["Google Fonts", /fonts\.googleapis\.com/i],
  ["Google Analytics", /google-analytics\.com|gtag\/js/i],
  ["Google Tag Manager", /googletagmanager\.com\/gtm/i],
  ["HubSpot", /js\.hs-scripts\.com|hsforms\.net/i],
  ["Intercom", /widget\.intercom\.io/i],
  ["Stripe", /js\.stripe\.com/i],
  ["schema.org markup", /application\/ld\+json/i],
];

/** The technologies that the page shows. */
export function findTechnology(document: PageDocument, html: string, cite: Cite): Analysis["technology"] {
  const found: Analysis["technology"] = [];
  const generator = document.querySelector("meta[name='generator']")?.getAttribute("content")?.trim();
  if (generator)
    found.push({
      value: generator.slice(0, 80),
      evidence: cite(`generator: ${generator}`),
    });
  for (const [value, pattern] of MARKS) {
    const match = pattern.exec(html);
    if (match && !found.some((one) => one.value.startsWith(value)))
      found.push({ value, evidence: cite(around(html, match.index)) });
  }
  return found;
}

function around(html: string, index: number): string {
  return html
    .slice(Math.max(0, index - 40), index + 100)
    .replace(/\s+/g, " ")
    .trim();
}
