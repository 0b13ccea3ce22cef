/** One spelling for a site: two URLs that lead to the same page are the same site. */
export function normalizeSite(site: string): string {
  const url = new URL(site);
  // Not sent to a server.
  url.hash = "";
  return url.href;
}

export type SiteProblem =
  | "is not a URL"
  | "must start with http:// or https://"
  | "must not carry a user name or password";

export function siteProblem(site: string): SiteProblem | undefined {
  if (!URL.canParse(site)) return "is not a URL";
  const url = new URL(site);
  if (url.protocol !== "http:" && url.protocol !== "https:") return "must start with http:// or https://";
  if (url.username || url.password) return "must not carry a user name or password";
  return undefined;
}
