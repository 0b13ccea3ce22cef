import type { Page, Request, Response } from "playwright-core";
import { hostAllowed } from "../../lib/allow-list.ts";
import { EGRESS_HEADER } from "../../lib/edges/egress-refusal.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Capture } from "../../pipelines/market-analysis/capture.ts";

/** Documents that a page may navigate to by itself. */
const MAX_NAVIGATIONS = 8;

/** A request that takes longer is one that a server keeps open. */
const LOADING_MS = 5_000;
const UNSEEN = new Set(["eventsource", "ping", "media", "websocket"]);

/** What a page requests, from its start on. */
export interface Traffic {
  /** Requests in flight. */
  pending(): number;
  /** Whether something is in flight that may still change what the page shows: not for so long that it would never end. */
  loading(): boolean;
  /** The latest answer to a navigation of the main frame; a page may navigate by itself. */
  lastDocument(): Response | undefined;
  /** The latest navigation of the main frame if it got no answer. */
  lastFailure(): { url: string; errorText: string } | undefined;
  /** The egress proxy was not there for something that the page asked for: what it shows is not the page. */
  lostProxy(): boolean;
  /** Whether the egress proxy answered in place of this document, the page's own or a frame's. */
  wasRefused(url: string): boolean;
  /** Rejects with TerminalError RedirectLoop when the page navigates again and again by itself. */
  readonly looped: Promise<never>;
  egress(): Promise<Capture["egress"]>;
}

export function watchTraffic(page: Page, allow: readonly string[]): Traffic {
  /** Since when, by the clock of performance.now. */
  const inFlight = new Map<Request, number>();
  const sizes: Promise<number>[] = [];
  const refused = new Map<string, { host: string; reason: string; count: number }>();
  const refusedDocuments = new Set<string>();
  const loop = Promise.withResolvers<never>();
  // It may reject while nobody waits for it.
  loop.promise.catch(() => undefined);
  let requests = 0;
  let navigations = 0;
  let lostProxy = false;
  let document: Response | undefined;
  let failure: { url: string; errorText: string } | undefined;

  const refuse = (url: string, reason: string) => {
    const { hostname: host } = new URL(url);
    const key = `${host} ${reason}`;
    const line = refused.get(key) ?? { host, reason, count: 0 };
    refused.set(key, { ...line, count: line.count + 1 });
  };
  const isMain = (request: Request) => request.isNavigationRequest() && request.frame() === page.mainFrame();
  const onNetwork = (request: Request) => /^https?:/.test(request.url());

  page.on("request", (request) => {
    if (!onNetwork(request)) return;
    requests += 1;
    inFlight.set(request, performance.now());
    if (isMain(request) && !request.redirectedFrom() && ++navigations > MAX_NAVIGATIONS)
      loop.reject(
        new TerminalError("RedirectLoop", `${request.url()} redirects without end: ${navigations} documents so far`),
      );
  });
  page.on("response", (response) => {
    const request = response.request();
    const reason = response.headers()[EGRESS_HEADER];
    if (reason) refuse(response.url(), reason);
    if (reason && request.isNavigationRequest()) refusedDocuments.add(withoutHash(response.url()));
    if (isMain(request)) {
      document = response;
      failure = undefined;
    }
  });
  page.on("requestfinished", (request) => {
    inFlight.delete(request);
    if (!onNetwork(request)) return;
    sizes.push(
      request.sizes().then(
        (s) => s.requestHeadersSize + s.requestBodySize + s.responseHeadersSize + s.responseBodySize,
        () => 0,
      ),
    );
  });
  page.on("requestfailed", (request) => {
    inFlight.delete(request);
    const errorText = request.failure()?.errorText ?? "";
    // Chromium hides the header of a tunnel that the proxy refused: the list tells whether it was the host's name.
    if (errorText === "net::ERR_TUNNEL_CONNECTION_FAILED")
      refuse(request.url(), hostAllowed(new URL(request.url()).hostname, allow) ? "TunnelRefused" : "HostNotAllowed");
    if (isProxyGone(errorText, request.url())) lostProxy = true;
    if (isMain(request) && errorText !== "net::ERR_ABORTED") failure = { url: request.url(), errorText };
  });

  return {
    pending: () => inFlight.size,
    loading: () => {
      const since = performance.now() - LOADING_MS;
      return [...inFlight].some(([request, at]) => at > since && !UNSEEN.has(request.resourceType()));
    },
    lastDocument: () => document,
    lastFailure: () => failure,
    lostProxy: () => lostProxy,
    wasRefused: (url) => refusedDocuments.has(withoutHash(url)),
    looped: loop.promise,
    async egress() {
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      return { requests, bytes: Math.max(0, Math.round(bytes)), refused: [...refused.values()] };
    },
  };
}

function withoutHash(url: string): string {
  return url.replace(/#.*/s, "");
}

/** Of a server that breaks off the proxy tells in an answer of its own: a connection without any is one to the proxy. In a tunnel it may be either. */
function isProxyGone(errorText: string, url: string): boolean {
  const isTunnel = url.startsWith("https:");
  return (
    errorText === "net::ERR_PROXY_CONNECTION_FAILED" ||
    (!isTunnel && /^net::ERR_(?:EMPTY_RESPONSE|CONNECTION_(?:RESET|CLOSED|REFUSED))$/.test(errorText))
  );
}
