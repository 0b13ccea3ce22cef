import type { IncomingMessage } from "node:http";
import { html, type Page } from "./page.ts";

/** What opens the walled pages. */
export const WALLED = { cookie: "9f86d081884c7d65", key: "Bearer 60303ae22b998861" } as const;

const isOpen = ({ headers }: IncomingMessage): boolean =>
  headers.cookie === `sid=${WALLED.cookie}` || headers["x-key"] === WALLED.key;

/** It says again what it was shown. */
const prices = ({
  cookie = "none",
  "x-key": key = "none",
}: IncomingMessage["headers"]): string => `<h1>Plans</h1><section><h3>Team</h3><p>$29 per month</p></section>
  <img src="http://elsewhere.test/pixel.png"><img src="/walled-picture.png">
  <script>fetch("/walled-data", { method: "POST", body: "x" }); document.title = "seen: " + document.cookie;
    new Image().src = "http://sub.walled.test/pixel.png"; console.error("key ${key}");</script>
  <a href="/team?key=${cookie}">Team</a><!-- ${String(key).split(" ")[1]} -->`;

/** Pages that show prices only to who is known, and others that would like to know by what. */
export const ACCESS_PAGES: Record<string, Page> = {
  "/walled": (response, url, request) =>
    html(isOpen(request) ? prices(request.headers) : `<h1>Sign in</h1><p>Sign in to see prices.</p>`)(
      response,
      url,
      request,
    ),
  "/walled-picture.png": (response) =>
    void response.writeHead(302, { location: "http://elsewhere.test/got.png" }).end(),
  "/walled-hop": (response) => void response.writeHead(302, { location: "http://elsewhere.test/thief" }).end(),
  "/walled-lost": (response, _url, { headers }) =>
    void response.writeHead(302, { location: `/nowhere?${headers.cookie ?? ""}` }).end(),
  "/walled-upgrade": (response) => void response.writeHead(302, { location: "http://walled.test/walled" }).end(),
  "/thief": html(
    `<h1>Thief</h1><script src="http://walled.test/walled-data"></script><iframe src="http://walled.test/walled-frame"></iframe>`,
  ),
};
