/** The address if it is http or https; undefined for javascript: and everything else that a page could smuggle in. */
export function safeLink(address: string | undefined): string | undefined {
  const url = address === undefined ? null : URL.parse(address);
  return url && (url.protocol === "http:" || url.protocol === "https:") ? url.href : undefined;
}
