import { createServer } from "node:https";
import type { SecureContext } from "node:tls";
import { serve as listen } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "./log.ts";
import type { Telemetry } from "./telemetry/telemetry.ts";

export interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly log: Logger;
  /** Aborted on SIGTERM and SIGINT: readiness turns to 503, running steps stop after their current node and answer 503. */
  readonly draining: AbortController;
  readonly telemetry: Telemetry;
  /** By TLS, to clients that name the host: the certificate of the moment, asked for with each connection. */
  readonly tls?: () => SecureContext;
}

/** Listens until SIGTERM, then lets the requests in flight end. */
export async function serve(app: Hono, { host, port, log, draining, telemetry, tls }: ServeOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const secure = tls && { createServer, serverOptions: { SNICallback: bySni(tls) } };
    const server = listen({ fetch: flushedBefore(app, telemetry), hostname: host, port, ...secure }, (address) => {
      log.info({ port: address.port }, "listening");
    });
    server.once("error", (cause: NodeJS.ErrnoException) => {
      const hint = cause.code === "EADDRINUSE" ? ": another process has it; set PORT" : "";
      reject(new Error(`cannot listen on ${host}:${port} (${cause.code})${hint}`, { cause }));
    });
    const drain = (signal: string): void => {
      if (draining.signal.aborted) return;
      log.info({ signal }, "draining");
      draining.abort();
      server.close(() => resolve());
    };
    process.on("SIGTERM", drain);
    process.on("SIGINT", drain);
  });
  await telemetry.shutdown();
}

/** What is not sent when a function has answered may never be: at scale to zero nobody waits for it. */
function flushedBefore(app: Hono, telemetry: Telemetry): Hono["fetch"] {
  return async (...request) => {
    const response = await app.fetch(...request);
    await telemetry.flush();
    return response;
  };
}

function bySni(tls: () => SecureContext) {
  return (_: string, done: (error: Error | null, context?: SecureContext) => void): void => done(null, tls());
}
