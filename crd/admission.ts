import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import { normalizeSite, siteProblem } from "./site.ts";

export interface AdmissionProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const INNER_NAME = /(^|\.)(localhost|local|internal|lan|home\.arpa|cluster\.local|svc)\.?$/i;

/**
 * What a schema cannot say of spec.sites: no site twice, none inside your own network. Takes the sites as they were written,
 * so that these problems are told beside the schema's. `allowPrivateHosts`: names that --resolve points somewhere on purpose.
 * Names are judged as written; the egress proxy judges what they resolve to.
 */
export function admissionProblems(
  sites: readonly unknown[],
  allowPrivateHosts: ReadonlySet<string>,
): AdmissionProblem[] {
  const first = new Map<string, number>();
  return sites.flatMap((site, index) => {
    if (typeof site !== "string" || siteProblem(site)) return [];
    const path = ["spec", "sites", index];
    const problems: AdmissionProblem[] = [];
    const same = first.get(normalizeSite(site));
    if (same === undefined) first.set(normalizeSite(site), index);
    else problems.push({ path, message: `is the same site as spec.sites[${same}]` });
    const host = new URL(site).hostname.toLowerCase();
    if (isInner(host) && !allowPrivateHosts.has(host))
      problems.push({
        path,
        message: `${host} is a private address: sites are public pages (agentic run --resolve points a name at a local server)`,
      });
    return problems;
  });
}

function isInner(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "");
  // A URL's host has every notation of an address in its plain one.
  return isIP(address) ? ipaddr.process(address).range() !== "unicast" : INNER_NAME.test(host);
}
