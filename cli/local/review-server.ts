import type { KeyObject } from "node:crypto";
import { serve } from "@hono/node-server";
import { createApp } from "../../functions/approve/index.ts";
import { createLinkAuthorizer, mintReviewLink } from "../../functions/approve/link.ts";
import type { Review } from "../../lib/edges/reviews.ts";
import type { Stack } from "./stack.ts";

export interface ReviewServer {
  /** Serves the review page on loopback. @returns its address with a signed link for this review */
  open(review: Review): Promise<string>;
  close(): Promise<void>;
}

export function createReviewServer(stack: Stack, keys: { privateKey: KeyObject; publicKey: KeyObject }): ReviewServer {
  let server: ReturnType<typeof serve> | undefined;
  return {
    async open(review) {
      const app = createApp({
        reviews: stack.reviews,
        artifacts: stack.artifacts,
        authorize: createLinkAuthorizer(keys.publicKey),
        clock: () => new Date(),
        log: stack.log,
        draining: stack.stopping,
      });
      const port = await new Promise<number>((resolve, reject) => {
        server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 }, (address) => resolve(address.port));
        server.once("error", reject);
      });
      const { namespace, name } = review.workload;
      const token = await mintReviewLink(keys.privateKey, {
        namespace,
        name,
        digest: review.digest,
        expiresAt: new Date(review.timeoutAt),
      });
      return `http://127.0.0.1:${port}/review/${namespace}/${name}?token=${token}`;
    },
    async close() {
      await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
    },
  };
}
