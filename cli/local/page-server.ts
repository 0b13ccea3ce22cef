import { serve } from "@hono/node-server";
import type { Hono } from "hono";

export interface PageServer {
  /** Serves the pages on loopback, from the first call on. @returns the origin, e.g. http://127.0.0.1:40123 */
  open(): Promise<string>;
  close(): Promise<void>;
}

export function createPageServer(app: Hono): PageServer {
  let server: ReturnType<typeof serve> | undefined;
  let origin: Promise<string> | undefined;
  const listen = (): Promise<string> =>
    new Promise((resolve, reject) => {
      server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, ({ port }) =>
        resolve(`http://127.0.0.1:${port}`),
      );
      server.once("error", reject);
    });
  return {
    open() {
      // Ten gates may open at once: they share one server.
      origin ??= listen();
      return origin;
    },
    async close() {
      if (!server) return;
      // A browser keeps its connection open: waiting for it would keep the command from ending.
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server?.close(() => resolve()));
    },
  };
}
