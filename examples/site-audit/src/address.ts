/** A page's address as it is compared: without fragment; undefined for what is no web address. */
export function pageAddress(text: string, base?: string): string | undefined {
  if (!URL.canParse(text, base)) return undefined;
  const url = new URL(text, base);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  url.hash = "";
  url.username = "";
  url.password = "";
  return url.href;
}

/** The host without `www.`: what a site and its pages have in common. */
const bareHost = (url: string): string => new URL(url).hostname.replace(/^www\./, "");

/** Whether two addresses are of one host, with or without `www.`, on one port. */
export function isSameHost(a: string, b: string): boolean {
  return bareHost(a) === bareHost(b) && new URL(a).port === new URL(b).port;
}

/** Whether `url` belongs to `site`: its host, or one below it. */
export function isSameSite(url: string, site: string): boolean {
  const host = new URL(url).hostname;
  const bare = bareHost(site);
  return host === bare || host.endsWith(`.${bare}`);
}
