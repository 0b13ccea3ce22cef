import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { Duplex } from "node:stream";
import type { Chromium } from "../../../../lib/edges/chromium.ts";

/** What Chromium says of itself, and that it answers at all: it is started again when it has died. */
export async function versionOf(chromium: Chromium): Promise<{ webSocketDebuggerUrl: string }> {
  const response = await fetch(`${await chromium.endpoint()}/json/version`, { signal: AbortSignal.timeout(5000) });
  return (await response.json()) as { webSocketDebuggerUrl: string };
}

/** Hands a client's websocket to Chromium's own, handshake and all. Either end's end is the other's. */
export function pipeToBrowser(chromium: Chromium, req: IncomingMessage, client: Duplex, head: Buffer): void {
  versionOf(chromium).then(
    ({ webSocketDebuggerUrl }) => {
      const { hostname, port, host, pathname } = new URL(webSocketDebuggerUrl);
      const browser = connect(Number(port), hostname, () => {
        browser.write(handshake(pathname, host, req));
        browser.write(head);
        browser.pipe(client).pipe(browser);
      });
      browser.on("error", () => browser.destroy());
      browser.once("close", () => client.destroy());
      client.once("close", () => browser.destroy());
    },
    () => client.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"),
  );
}

/** Chromium answers to an address as its host only, and to no origin. */
function handshake(path: string, host: string, req: IncomingMessage): string {
  const headers = Object.entries(req.headers).filter(([name]) => name !== "host" && name !== "origin");
  const lines = [`GET ${path} HTTP/1.1`, `host: ${host}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  return `${lines.join("\r\n")}\r\n\r\n`;
}
