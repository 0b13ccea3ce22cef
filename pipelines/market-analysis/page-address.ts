/**
 * Equal for two spellings of one page's address: with and without TLS, www., a slash at the end, an index file, and whatever the order of its
 * query. So scrape reads a page once, and the report counts it once and finds it again in the next run. What is no address is its own key.
 */
export function addressKey(address: string | URL): string {
  const url = URL.parse(address);
  if (!url) return String(address);
  const { hostname, port, pathname, searchParams } = url;
  const host = hostname.replace(/^www\./, "").replace(/\.$/, "");
  const path = pathname.replace(/\/(?:index|default)\.(?:html?|php|aspx?)$/i, "/").replace(/\/+$/, "");
  const query = [...searchParams].map((pair) => pair.join("=")).sort();
  return [host, port, path, query.join("&")].join(" ");
}
