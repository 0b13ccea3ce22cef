import { chromiumFlags } from "./chromium-flags.ts";

/** Browserless starts a browser for each connection, with what the connection asks for, and without a sandbox unless told so. */
const UNWANTED = ["--no-sandbox"];

/**
 * BROWSER_URL with how the pool is to start the connection's browser: the flags of a local one, which reaches the egress proxy alone, and
 * Chrome's own sandbox. A browser that runs already, by http, is as it is; so is what BROWSER_URL itself says of `launch`.
 */
export function poolEndpoint(browserUrl: string, egressProxy: string): string {
  const url = new URL(browserUrl);
  if (!/^wss?:$/.test(url.protocol) || url.searchParams.has("launch")) return browserUrl;
  const launch = {
    args: chromiumFlags([new URL(egressProxy).hostname]),
    ignoreDefaultArgs: UNWANTED,
    // Browserless looks at each page by Puppeteer, which would make it 800 pixels wide, whatever its context says.
    defaultViewport: null,
  };
  url.searchParams.set("launch", JSON.stringify(launch));
  return url.href;
}
