import { type Context, Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { csrf } from "hono/csrf";
import { html } from "hono/html";
import type { Logger } from "../../lib/log.ts";
import type { Html } from "../../lib/page/document.ts";
import { bearerOf, originOf, schemeOf } from "../../lib/page/request.ts";
import { auditDenied } from "./denied.ts";
import type { Reader, ReaderOf } from "./deps.ts";
import { pageHeaders, stillPage } from "./page/live.ts";
import { problemPage } from "./page/problem.ts";
import { AUDIENCE } from "./readers.ts";

const COOKIE = "agentic-runs";
const MAX_BODY_BYTES = 16 * 1024;
const HOW = `kubectl create token NAME --namespace NAMESPACE --audience ${AUDIENCE} --duration 8h`;

export interface SignInDeps {
  readonly base: string;
  readonly readerOfToken: ReaderOf;
  readonly log: Logger;
}

/** Who sends a request: a program by a bearer token, a browser by the cookie that signing in sets. */
export function createSession({ base, readerOfToken, log }: SignInDeps): {
  readonly readerOf: (c: Context) => Promise<Reader | undefined>;
  readonly refuse: (c: Context) => Response | Promise<Response>;
  /** The forms, to be mounted at `base`. */
  readonly forms: Hono;
} {
  const tokenOf = (c: Context): string | undefined => bearerOf(c) ?? getCookie(c, COOKIE);
  const readerOf = async (c: Context): Promise<Reader | undefined> => {
    const token = tokenOf(c);
    return token ? readerOfToken(token) : undefined;
  };
  const refuse = (c: Context, problem?: string, to = c.req.path): Response | Promise<Response> => {
    // Without a token it is a browser that is not signed in yet.
    if (problem !== undefined || tokenOf(c) !== undefined) auditDenied(log, c, "InvalidToken");
    c.header("www-authenticate", "Bearer");
    if (!c.req.header("accept")?.includes("text/html"))
      return c.json({ reason: "Unauthenticated", message: `Send a token as 'Authorization: Bearer': ${HOW}` }, 401);
    return c.html(signInPage(base, to, problem), 401);
  };
  const forms = new Hono();
  forms.onError(problemPage(log));
  const path = base;
  forms.use("*", pageHeaders, csrf({ origin: (origin, c) => origin === originOf(c) }), async (c, next) => {
    c.header("cache-control", "no-store");
    await next();
  });
  const tooLarge = (c: Context) => refuse(c, "That is no token: it is too long.", base);
  forms.post("/sign-in", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: tooLarge }), async (c) => {
    const { token, to } = await c.req.parseBody();
    const given = typeof token === "string" ? token.trim() : "";
    const next = typeof to === "string" && isOwn(base, to) ? to : base;
    const reader = given === "" ? undefined : await readerOfToken(given);
    if (!reader) return refuse(c, UNKNOWN, next);
    log.info({ user: reader.name }, "signed in to runs");
    // A browser forgets it when it is closed, and the API server when it expires.
    setCookie(c, COOKIE, given, { httpOnly: true, sameSite: "Strict", path, secure: schemeOf(c) === "https" });
    return c.redirect(next, 303);
  });
  forms.post("/sign-out", (c) => {
    deleteCookie(c, COOKIE, { path });
    return c.redirect(base, 303);
  });
  return { readerOf, refuse: (c) => refuse(c, tokenOf(c) ? UNKNOWN : undefined), forms };
}

const UNKNOWN = "Your token has expired, was revoked, or is none for these pages.";

/** A page of ours, and not an address that a link made up. */
function isOwn(base: string, path: string): boolean {
  return path.startsWith(base) && /^(\/[a-z0-9][a-z0-9.-]*){0,2}$/.test(path.slice(base.length));
}

function signInPage(base: string, to: string, problem: string | undefined): Html {
  return stillPage(
    "Sign in to runs",
    html`<h1>Sign in</h1>
    <p>This page shows the runs of the namespaces whose AgentWorkloads you may read. It takes a token that is made for it, and that opens nothing else:</p>
    <pre tabindex="0" aria-label="Command">${HOW}</pre>
    ${problem ? html`<div class="notice bad" role="alert">${problem}</div>` : ""}
    <form method="post" action="${base}/sign-in">
      <input type="hidden" name="to" value="${to}">
      <label for="token">Token</label>
      <input id="token" name="token" type="password" autocomplete="off" required>
      <button class="go">Sign in</button>
    </form>
    <p class="soft">Without a token of a service account: <code>kubectl agentic watch --open</code> shows the same page over your kubeconfig.</p>`,
  );
}
