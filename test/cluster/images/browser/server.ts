/**
 * The part of Browserless' interface that is used: `ws://HOST:3000/?token=…` is a CDP connection, `/json/version` tells of it,
 * `/pressure` and `/active` whether there is one to be had, and the settings are called as there. One Chromium serves all:
 * clients make contexts of their own.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { startChromium } from "../../../../lib/edges/chromium.ts";
import { createTurns } from "./turns.ts";
import { pipeToBrowser, versionOf } from "./upstream.ts";

const { PORT = "3000", TOKEN, CONCURRENT = "10", QUEUED = "10", TIMEOUT = "30000" } = process.env;
const SOCKET_PATHS = /^\/(chromium|chrome|devtools\/browser\/[^/]*)?\/?$/;
/** Of a session, in milliseconds; -1: none. */
const timeout = Number(TIMEOUT);
const turns = createTurns(Number(CONCURRENT), Number(QUEUED));

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
  const { running, waiting, rejected } = turns;
  const isFull = running >= Number(CONCURRENT) && waiting >= Number(QUEUED);
  return {
    cpu: null,
    date: Date.now(),
    isAvailable: !isFull,
    maxConcurrent: Number(CONCURRENT),
    maxQueued: Number(QUEUED),
    memory: null,
    message: isFull ? "Concurrency and queue are full" : "",
    queued: waiting,
    reason: isFull ? "full" : "",
    recentlyRejected: rejected,
    running,
  };
}

server.on("upgrade", (req, socket, head) => {
  socket.on("error", () => socket.destroy());
  const refuse = (status: string): void => {
    socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
  };
  if (!SOCKET_PATHS.test(urlOf(req).pathname)) return refuse("404 Not Found");
  if (!allowed(req)) return refuse("401 Unauthorized");
  const end = turns.take(() => {
    const timer = timeout > 0 ? setTimeout(() => socket.destroy(), timeout) : undefined;
    socket.once("close", () => clearTimeout(timer));
    pipeToBrowser(chromium, req, socket, head);
  });
  if (end === undefined) return refuse("429 Too Many Requests");
  socket.once("close", end);
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
