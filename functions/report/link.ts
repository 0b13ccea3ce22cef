/** The address if a reader may follow it: http or https, and nothing that a page could smuggle in; else undefined. */
export function safeLink(address: string | undefined): string | undefined {
  const url = address === undefined ? null : URL.parse(address);
  return url && (url.protocol === "http:" || url.protocol === "https:") ? url.href : undefined;
}
