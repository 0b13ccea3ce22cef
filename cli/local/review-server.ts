import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import type { OpenReview } from "../../lib/edges/reviews.ts";

export interface ReviewServer {
  /** Serves the review page on loopback. @returns its address, without the link's token */
  open(review: OpenReview): Promise<string>;
  close(): Promise<void>;
}

export function createReviewServer(app: Hono): ReviewServer {
  let server: ReturnType<typeof serve> | undefined;
  return {
    async open({ workload }) {
      const port = await new Promise<number>((resolve, reject) => {
        server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (address) => resolve(address.port));
        server.once("error", reject);
      });
      return `http://127.0.0.1:${port}/review/${workload.namespace}/${workload.name}`;
    },
    async close() {
      if (!server) return;
      // A browser keeps its connection open: waiting for it would keep the command from ending.
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server?.close(() => resolve()));
    },
  };
}
