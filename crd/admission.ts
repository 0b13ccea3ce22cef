import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** Something wrong with a workload's inputs, and where: keys and indexes below `spec`. */
export interface AdmissionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Names that are never public. A name without a dot is one of the cluster's or of the local network. */
const INNER_NAME = /^[^.]+\.?$|(^|\.)(localhost|local|internal|lan|home\.arpa|cluster\.local|svc)\.?$/i;

/**
 * What a JSON schema cannot check of the items in input lists: no URL points into a private network or carries a password, and no
 * item is listed twice. An item is a string, or an object with its URL in the field `url`. `allowPrivateHosts`: names that
 * `agentic run --resolve` points at a local server on purpose. Names are judged as written; the egress proxy judges what they
 * resolve to.
 */
export function admissionProblems(
  inputs: Readonly<Record<string, unknown>>,
  allowPrivateHosts: ReadonlySet<string>,
): AdmissionProblem[] {
  return Object.entries(inputs).flatMap(([name, list]) =>
    Array.isArray(list) ? listProblems(name, list, allowPrivateHosts) : [],
  );
}

function listProblems(name: string, list: readonly unknown[], allowPrivateHosts: ReadonlySet<string>) {
  const problems: AdmissionProblem[] = [];
  const first = new Map<string, number>();
  for (const [index, item] of list.entries()) {
    const path = ["inputs", name, index];
    if (typeof item === "string") {
      const normalized = normalizeItem(item);
      const same = first.get(normalized);
      if (same === undefined) first.set(normalized, index);
      else problems.push({ path, message: `is the same as inputs.${name}[${same}]` });
      problems.push(...urlProblems(item, allowPrivateHosts).map((message) => ({ path, message })));
    } else if (typeof item === "object" && item !== null && "url" in item && typeof item.url === "string") {
      const messages = urlProblems(item.url, allowPrivateHosts);
      problems.push(...messages.map((message) => ({ path: [...path, "url"], message })));
    }
  }
  return problems;
}

/** One spelling of an item: two URLs that lead to the same page are the same item. Other text is compared as it is. */
export function normalizeItem(item: string): string {
  const url = httpUrl(item);
  if (!url) return item;
  // Not sent to a server.
  url.hash = "";
  return url.href;
}

function urlProblems(text: string, allowPrivateHosts: ReadonlySet<string>): string[] {
  const url = httpUrl(text);
  if (!url) return [];
  const host = url.hostname.toLowerCase();
  return [
    ...(url.username || url.password ? ["must not carry a user name or password"] : []),
    ...(isPrivateHost(host) && !allowPrivateHosts.has(host)
      ? [`${host} is a private ${isIP(address(host)) ? "address" : "host name"}: only public hosts are allowed`]
      : []),
  ];
}

function httpUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined;
}

/** A private address, or a name that is never public; as a URL has it, in lower case. */
export function isPrivateHost(host: string): boolean {
  const ip = address(host);
  // The URL parser has already turned every notation of an IPv4 address into the dotted one.
  return isIP(ip) ? ipaddr.process(ip).range() !== "unicast" : INNER_NAME.test(host);
}

/** Without the brackets of an IPv6 address. */
function address(host: string): string {
  return host.replace(/^\[|\]$/g, "");
}
