import type { Page, Request, Response } from "playwright-core";
import { hostAllowed } from "../../lib/allow-list.ts";
import { TerminalError } from "../../lib/errors.ts";
import type { Capture } from "../../pipeline/capture.ts";

/** Documents that a page may go through by itself. */
const MAX_NAVIGATIONS = 8;

/** What a page asks for, watched from its start. */
export interface Traffic {
  /** Requests that are under way. */
  pending(): number;
  /** The latest answer to a navigation of the main frame; a page may navigate by itself. */
  lastDocument(): Response | undefined;
  /** The latest navigation of the main frame that got no answer, unless one after it did. */
  lastFailure(): { url: string; errorText: string } | undefined;
  /** Rejects with TerminalError RedirectLoop when the page leads itself from document to document. */
  readonly looped: Promise<never>;
  egress(): Promise<Capture["egress"]>;
}

export function watchTraffic(page: Page, allow: readonly string[]): Traffic {
  const under = new Set<Request>();
  const sizes: Promise<number>[] = [];
  const refused = new Map<string, { host: string; reason: string; count: number }>();
  const loop = Promise.withResolvers<never>();
  // It may come when nobody waits for it.
  loop.promise.catch(() => undefined);
  let requests = 0;
  let navigations = 0;
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
    under.add(request);
    if (isMain(request) && !request.redirectedFrom() && ++navigations > MAX_NAVIGATIONS)
      loop.reject(new TerminalError("RedirectLoop", `${request.url()} leads on and on, ${navigations} times so far`));
  });
  page.on("response", (response) => {
    const request = response.request();
    const reason = response.headers()["agentic-egress"];
    if (reason) refuse(response.url(), reason);
    if (isMain(request)) {
      document = response;
      failure = undefined;
    }
  });
  page.on("requestfinished", (request) => {
    under.delete(request);
    if (!onNetwork(request)) return;
    sizes.push(
      request.sizes().then(
        (s) => s.requestHeadersSize + s.requestBodySize + s.responseHeadersSize + s.responseBodySize,
        () => 0,
      ),
    );
  });
  page.on("requestfailed", (request) => {
    under.delete(request);
    const errorText = request.failure()?.errorText ?? "";
    // A tunnel that was not opened carries no header: the list says whether it was refused by name.
    if (errorText === "net::ERR_TUNNEL_CONNECTION_FAILED")
      refuse(request.url(), hostAllowed(new URL(request.url()).hostname, allow) ? "TunnelRefused" : "HostNotAllowed");
    if (isMain(request) && errorText !== "net::ERR_ABORTED") failure = { url: request.url(), errorText };
  });

  return {
    pending: () => under.size,
    lastDocument: () => document,
    lastFailure: () => failure,
    looped: loop.promise,
    async egress() {
      const bytes = (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
      return { requests, bytes: Math.max(0, Math.round(bytes)), refused: [...refused.values()] };
    },
  };
}
