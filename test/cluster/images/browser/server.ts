/**
 * The part of Browserless' interface that is used: `ws://HOST:3000/?token=…` is a CDP connection, `/json/version` tells of it,
 * `/pressure` and `/active` whether there is one to be had. One Chromium serves all: clients make contexts of their own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { startChromium } from "../../../../lib/edges/chromium.ts";
import { pipeToBrowser, versionOf } from "./upstream.ts";

const { PORT = "3000", TOKEN, MAX_CONCURRENT_SESSIONS = "20" } = process.env;
const SOCKET_PATHS = /^\/(chromium|chrome|devtools\/browser\/[^/]*)?\/?$/;
const limit = Number(MAX_CONCURRENT_SESSIONS);
let running = 0;

const chromium = await startChromium();
const server = createServer((req, res) => {
  answer(req, res).catch((error: unknown) => {
    res.writeHead(503, { "content-type": "text/plain" }).end(String(error));
  });
});

async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
  const { pathname } = urlOf(req);
  const path = pathname.replace(/\/$/, "");
  if (path === "/active") {
    await versionOf(chromium);
    res.writeHead(204).end();
  } else if (!allowed(req)) {
    res.writeHead(401).end();
  } else if (path === "/json/version") {
    const webSocketDebuggerUrl = `ws://${req.headers.host}${TOKEN ? `/?token=${TOKEN}` : ""}`;
    json(res, { ...(await versionOf(chromium)), webSocketDebuggerUrl });
  } else if (path === "/pressure") {
    await versionOf(chromium);
    json(res, { pressure: pressure() });
  } else {
    res.writeHead(404).end();
  }
}

/** Neither processor nor memory is watched: Kubernetes does. */
function pressure() {
  const isFull = running >= limit;
  return {
    cpu: null,
    date: Date.now(),
    isAvailable: !isFull,
    maxConcurrent: limit,
    maxQueued: 0,
    memory: null,
    message: isFull ? "Concurrency and queue are full" : "",
    queued: 0,
    reason: isFull ? "full" : "",
    recentlyRejected: 0,
    running,
  };
}

server.on("upgrade", (req, socket, head) => {
  const refusal = !SOCKET_PATHS.test(urlOf(req).pathname)
    ? "404 Not Found"
    : !allowed(req)
      ? "401 Unauthorized"
      : running >= limit
        ? "429 Too Many Requests"
        : undefined;
  if (refusal !== undefined) {
    socket.end(`HTTP/1.1 ${refusal}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
    return;
  }
  running++;
  socket.once("close", () => running--);
  pipeToBrowser(chromium, req, socket, head);
});

const urlOf = (req: IncomingMessage): URL => new URL(req.url ?? "/", "http://browser");

function allowed(req: IncomingMessage): boolean {
  return !TOKEN || urlOf(req).searchParams.get("token") === TOKEN || req.headers.authorization === `Bearer ${TOKEN}`;
}

function json(res: ServerResponse, body: object): void {
  res.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

for (const signal of ["SIGTERM", "SIGINT"])
  process.once(signal, async () => {
    await chromium.stop();
    process.exit(0);
  });
server.listen(Number(PORT), "0.0.0.0", () =>
  console.log(`browser: listening on ${PORT}, Chromium is process ${chromium.pid}`),
);
