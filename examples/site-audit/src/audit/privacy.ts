import type { BrowserContext, Cookie, Request } from "playwright-core";
import { isSameSite } from "../address.js";
import type { Finding } from "../finding.js";

const DAY_SECONDS = 24 * 3600;

/** What a page asked other hosts for, and the cookies that it left. */
export interface Traffic {
  /** Requests so far. */
  count(): number;
  /** Of the page at `url`. */
  findings(url: string): Promise<{ findings: Finding[]; cookies: number; caveats: string[] }>;
}

/** Watches a browser context from its start. */
export function watchTraffic(browser: BrowserContext): Traffic {
  const requests: Request[] = [];
  const refused = new Set<string>();
  browser.on("request", (request) => {
    if (/^https?:/.test(request.url())) requests.push(request);
  });
  browser.on("response", (response) => {
    if (response.headers()["agentic-egress"]) refused.add(new URL(response.url()).host);
  });
  // The proxy opens no tunnel to a host that is not allowed, and Chromium does not say why.
  browser.on("requestfailed", (request) => {
    if (request.failure()?.errorText === "net::ERR_TUNNEL_CONNECTION_FAILED") refused.add(new URL(request.url()).host);
  });
  return {
    count: () => requests.length,
    async findings(url) {
      const cookies = await browser.cookies();
      const now = Date.now() / 1000;
      return {
        findings: [...thirdParties(requests, url), ...cookies.flatMap((cookie) => persistentCookie(cookie, now))],
        cookies: cookies.length,
        caveats:
          refused.size === 0
            ? []
            : [`Audited without what ${[...refused].sort().join(", ")} would have sent: the step may not go there.`],
      };
    },
  };
}

/** One finding for each host of others. */
function thirdParties(requests: readonly Request[], page: string): Finding[] {
  const others = requests.filter((request) => !isSameSite(request.url(), page));
  return [...Map.groupBy(others, (request) => new URL(request.url()).host)].map(([host, asked]) => {
    const types = [...Map.groupBy(asked, (request) => request.resourceType())];
    const runsCode = types.some(([type]) => type === "script" || type === "document");
    return {
      kind: "privacy",
      rule: "third-party-request",
      impact: runsCode ? "serious" : "moderate",
      title: "Servers of others are asked, and learn who reads the page",
      detail: `Asks ${host} for ${types.map(([type, all]) => `${all.length} × ${type}`).join(", ")}.`,
      where: host,
      evidence: asked[0]?.url().slice(0, 300) ?? host,
    };
  });
}

function persistentCookie({ name, expires, domain }: Cookie, now: number): Finding[] {
  // -1: it ends with the session.
  if (expires < 0) return [];
  const days = Math.max(1, Math.round((expires - now) / DAY_SECONDS));
  return [
    {
      kind: "privacy",
      rule: "persistent-cookie",
      impact: "moderate",
      title: "Cookies that outlive the visit are set before the visitor agreed to them",
      detail: `Keeps the cookie ${name} of ${domain} for ${days} ${days === 1 ? "day" : "days"}.`,
      where: name,
    },
  ];
}
