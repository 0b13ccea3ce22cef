/** The hosts a job may reach: its own site's (with and without `www.`), and the workload's `egress.allow`. */
export function allowListFor(site: string | undefined, extra: readonly string[]): string[] {
  if (site === undefined) return [...extra];
  const host = new URL(site).hostname;
  const twin = host.startsWith("www.") ? host.slice(4) : `www.${host}`;
  return [...new Set([host, twin, ...extra])];
}

/** `*.example.com` allows any subdomain of example.com, not example.com itself. Case does not matter. */
export function hostAllowed(host: string, allow: readonly string[]): boolean {
  const name = host.toLowerCase().replace(/\.$/, "");
  return allow.some((entry) => {
    const rule = entry.toLowerCase();
    return rule.startsWith("*.") ? name.endsWith(rule.slice(1)) && name.length > rule.length - 1 : name === rule;
  });
}
