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

/** A rule without a port stands for these. */
const WEB_PORTS = [80, 443];

/** `shop.example:8443`: a name, and the one port that it stands for. */
function parseRule(rule: string): { readonly name: string; readonly port?: number } {
  const [, name = rule, port] = /^([^:]+):(\d+)$/.exec(rule) ?? [];
  return { name: name.toLowerCase(), ...(port === undefined ? {} : { port: Number(port) }) };
}

/** `*.example.com` covers `shop.example.com` and `*.shop.example.com`; each rule covers itself. */
function covers(rule: string, other: string): boolean {
  const [wide, narrow] = [parseRule(rule), parseRule(other)];
  if (wide.port !== narrow.port) return false;
  return wide.name === narrow.name || (wide.name.startsWith("*.") && narrow.name.endsWith(wide.name.slice(1)));
}

/** The host of an item's URL, with and without `www.`: one often redirects to the other. */
export function itemHosts(item: Item | undefined): string[] {
  const host = normalized(urlOf(item)?.hostname ?? "");
  if (host === "") return [];
  return [host, host.startsWith("www.") ? host.slice("www.".length) : `www.${host}`];
}

/** A port of its own is allowed too. */
function hostsOf(item: Item | undefined): string[] {
  const hosts = itemHosts(item);
  const port = urlOf(item)?.port ?? "";
  return port === "" ? hosts : [...hosts, ...hosts.map((name) => `${name}:${port}`)];
}

function urlOf(item: Item | undefined): URL | null {
  const address = typeof item === "object" ? item["url"] : item;
  return typeof address === "string" ? URL.parse(address) : null;
}

/** At any port. `*.example.com` allows any subdomain of example.com, not example.com itself. Case does not matter. */
export function hostAllowed(host: string, allow: readonly string[]): boolean {
  return allow.some((entry) => allowsHost(parseRule(entry).name, host));
}

/** A rule without a port allows 80 and 443. */
export function portAllowed(host: string, port: number, allow: readonly string[]): boolean {
  return allow.some((entry) => {
    const rule = parseRule(entry);
    return allowsHost(rule.name, host) && (rule.port === undefined ? WEB_PORTS.includes(port) : rule.port === port);
  });
}

function allowsHost(rule: string, host: string): boolean {
  const name = normalized(host);
  return rule.startsWith("*.") ? name.endsWith(rule.slice(1)) && name.length >= rule.length : name === rule;
}

/** Lower case, without the dot that ends an absolute name. */
function normalized(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}
