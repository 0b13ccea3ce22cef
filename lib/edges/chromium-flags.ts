/** What every Chromium is started with, here and in the pool: nothing of a page may pass by the proxy, and the browser itself asks for nothing. */
const FLAGS = [
  "--disable-gpu",
  "--hide-scrollbars",
  "--mute-audio",
  "--no-first-run",
  "--no-default-browser-check",
  "--disable-background-networking",
  "--disable-client-side-phishing-detection",
  "--disable-component-update",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--disable-extensions",
  "--disable-sync",
  "--disable-breakpad",
  // A container's /dev/shm has 64 MB.
  "--disable-dev-shm-usage",
  "--disable-background-timer-throttling",
  "--disable-backgrounding-occluded-windows",
  "--disable-renderer-backgrounding",
  "--disable-ipc-flooding-protection",
  "--disable-quic",
  "--dns-prefetch-disable",
  "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--webrtc-ip-handling-policy=disable_non_proxied_udp",
  "--disable-features=MediaRouter,OptimizationHints,Translate,DnsOverHttps,InterestFeedContentSuggestions,PaintHolding",
  "--password-store=basic",
  "--use-mock-keychain",
];

/** `resolved`: the only hosts whose names it looks up, or whose addresses it connects to: the proxy's. What bypasses the proxy finds nothing. */
export function chromiumFlags(resolved: readonly string[]): string[] {
  const rules = ["MAP * ~NOTFOUND", ...resolved.map((host) => `EXCLUDE ${host}`)];
  return [...FLAGS, `--host-resolver-rules=${rules.join(", ")}`];
}
