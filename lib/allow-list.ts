import type { PipelineStep } from "../crd/agentpipeline.ts";
import type { Item } from "../engine/result.ts";

/**
 * The hosts that one step may reach by the egress proxy: what `egress` of its pipeline step grants, of the host of its item's URL
 * (an item that is a URL, or has one as `url`) and of `egressAllow`, the workload's egress.allow.
 */
export function allowListFor(
  { egress }: Pick<PipelineStep, "egress">,
  item: Item | undefined,
  egressAllow: readonly string[],
): string[] {
  if (!egress) return [];
  const granted = egress.allow
    ? egress.allow.flatMap((rule) => egressAllow.flatMap((other) => narrower(rule, other)))
    : egressAllow;
  if (!egress.item) return egress.allow ? [...new Set(granted)] : [];
  return [...new Set([...hostsOf(item), ...granted])];
}

/** The hosts that two rules both allow, as a rule: none, or the narrower of the two. */
function narrower(one: string, other: string): string[] {
  if (covers(other, one)) return [one];
  return covers(one, other) ? [other] : [];
}

/** `*.example.com` covers `shop.example.com` and `*.shop.example.com`; each rule covers itself. */
function covers(rule: string, other: string): boolean {
  const [wide, narrow] = [rule.toLowerCase(), other.toLowerCase()];
  return wide === narrow || (wide.startsWith("*.") && narrow.endsWith(wide.slice(1)));
}

/** The host of an item's URL, with and without `www.`: one often redirects to the other. */
function hostsOf(item: Item | undefined): string[] {
  const address = typeof item === "object" ? item["url"] : item;
  const host = typeof address === "string" ? normalized(URL.parse(address)?.hostname ?? "") : "";
  if (host === "") return [];
  return [host, host.startsWith("www.") ? host.slice("www.".length) : `www.${host}`];
}

/** `*.example.com` allows any subdomain of example.com, not example.com itself. Case does not matter. */
export function hostAllowed(host: string, allow: readonly string[]): boolean {
  const name = normalized(host);
  return allow.some((entry) => {
    const rule = entry.toLowerCase();
    return rule.startsWith("*.") ? name.endsWith(rule.slice(1)) && name.length >= rule.length : name === rule;
  });
}

/** Lower case, without the dot that ends an absolute name. */
function normalized(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}
