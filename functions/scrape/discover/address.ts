/** Parameters that say where a visitor came from, and nothing about the page. */
const TRACKING =
  /^(?:utm_.*|hsa_.*|mc_[ce]id|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|ttclid|igshid|_ga|_gl|_hs[ce]nc|_hsmi|mkt_tok)$/i;
/** What a browser shows otherwise than as a page, or not at all. */
const NO_PAGE =
  /\.(?:pdf|docx?|xlsx?|pptx?|csv|zip|gz|tgz|dmg|exe|msi|apk|png|jpe?g|gif|webp|avif|svg|ico|mp[34]|webm|mov|woff2?|css|m?js|json|xml|rss|atom|txt|ics)$/i;

/** The page that a link leads to, without fragment and tracking; undefined for what is no page of the web. */
export function pageAddress(href: string, base?: string): URL | undefined {
  const url = URL.parse(href, base);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) return undefined;
  if (url.username || url.password || NO_PAGE.test(url.pathname)) return undefined;
  url.hash = "";
  for (const name of [...url.searchParams.keys()]) if (TRACKING.test(name)) url.searchParams.delete(name);
  return url;
}
