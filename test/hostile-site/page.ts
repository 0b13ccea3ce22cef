import type { IncomingMessage, ServerResponse } from "node:http";

/** A page of the hostile site: how it answers. */
export type Page = (response: ServerResponse, url: URL, request: IncomingMessage) => void;

export const html =
  (body: string, head = "<title>A page</title>"): Page =>
  (response) =>
    void response
      .writeHead(200, { "content-type": "text/html; charset=utf-8" })
      .end(`<!doctype html><html lang="en"><head>${head}</head><body>${body}</body></html>`);
