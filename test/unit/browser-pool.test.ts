import { describe, expect, test } from "vitest";
import { poolEndpoint } from "../../lib/edges/browser-pool.ts";
import { chromiumFlags } from "../../lib/edges/chromium-flags.ts";

const EGRESS = "http://egress.agentic-system.svc.cluster.local:3128";
const launchOf = (url: string) => JSON.parse(new URL(url).searchParams.get("launch") ?? "null");

describe("a pool by websocket", () => {
  const asked = poolEndpoint("ws://browserless:3000/chromium?token=secret", EGRESS);

  test("keeps its address and token", () => {
    expect(asked).toMatch(/^ws:\/\/browserless:3000\/chromium\?token=secret&launch=/);
  });

  test("is asked for Chrome's sandbox, which Browserless leaves out by itself", () => {
    expect(launchOf(asked).ignoreDefaultArgs).toEqual(["--no-sandbox"]);
    expect(launchOf(asked).args).not.toContain("--no-sandbox");
  });

  test("is asked to leave pages as large as their context says", () => {
    expect(launchOf(asked)).toHaveProperty("defaultViewport", null);
  });

  test("is asked for a browser that reaches the egress proxy and nothing else", () => {
    const rule = launchOf(asked).args.filter((flag: string) => flag.startsWith("--host-resolver-rules"));
    expect(rule).toEqual(["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE egress.agentic-system.svc.cluster.local"]);
    expect(launchOf(asked).args).toEqual(
      expect.arrayContaining(["--disable-quic", "--force-webrtc-ip-handling-policy=disable_non_proxied_udp"]),
    );
  });
});

test.each(["http://127.0.0.1:9222", "ws://browserless:3000/?launch=%7B%7D"])("%s stays as it is", (url) => {
  expect(poolEndpoint(url, EGRESS)).toBe(url);
});

test("a local browser resolves the proxies of this machine and nothing else", () => {
  expect(chromiumFlags(["localhost", "127.0.0.1"]).at(-1)).toBe(
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
  );
});
