import { type Context, Hono } from "hono";
import { html } from "hono/html";
import { auditDenied } from "./denied.ts";
import type { PagesDeps, Reader } from "./deps.ts";
import type { Viewer } from "./feed.ts";
import { LIST_TITLE, listShown } from "./page/list.ts";
import { livePage, pageHeaders, stillPage } from "./page/live.ts";
import { problemPage } from "./page/problem.ts";
import { runShown } from "./page/run-page.ts";
import { keyOf, type SeenRun } from "./run.ts";
import { createPlaces, type Look, stream } from "./stream.ts";

const RUN = "/:namespace/:name";

/** The list of runs, a page of each, and the streams of their changes. Reads only. To be mounted at `base`. */
export function createPages(deps: PagesDeps): Hono {
  const { feed, base, readerOf, log } = deps;
  const places = createPlaces(deps.limits);
  const pages = new Hono();
  pages.onError(problemPage(log));
  pages.use("*", pageHeaders, async (c, next) => {
    c.header("cache-control", "no-store");
    // Hono answers it as a GET whose body nobody reads: a stream would hold its place to the end of its life.
    if (c.req.method === "HEAD") return c.body(null, 405, { allow: "GET" });
    return next();
  });
  const signOut = deps.signsOut ? `${base}/sign-out` : undefined;
  const pathOf = ({ metadata: { namespace, name } }: SeenRun): string =>
    `${base}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;

  const list: Look = async (reader, viewer) => {
    const runs = [...viewer.runs().values()];
    const may = await reader.mayList(new Set(runs.map(({ metadata }) => metadata.namespace)));
    const readable = runs.filter(({ metadata }) => may.has(metadata.namespace));
    return listShown(readable, { runUrl: pathOf, staleSince: viewer.staleSince() });
  };
  /** Whether it is there is told to those only who may read it. */
  const one =
    (c: Context): Look =>
    async (reader, viewer) => {
      const ref = { namespace: c.req.param("namespace") ?? "", name: c.req.param("name") ?? "" };
      if (!(await reader.mayRead(ref))) return undefined;
      const run = viewer.runs().get(keyOf(ref));
      if (!run) return undefined;
      const hasFailed = run.status.steps?.some(({ failed }) => failed > 0);
      const failures = hasFailed && deps.failures ? await deps.failures(ref) : [];
      return runShown(run, { failures, staleSince: viewer.staleSince() });
    };
  /** Without a stream, for the moment. */
  const seen = async (look: Look, reader: Reader) => {
    const viewer: Viewer = await feed.look();
    try {
      return await look(reader, viewer);
    } finally {
      viewer.close();
    }
  };

  pages.get("/events", (c) => stream(c, deps, places, list));
  pages.get(`${RUN}/events`, (c) => stream(c, deps, places, one(c)));

  pages.get("/", async (c) => {
    const reader = await readerOf(c);
    if (!reader) return deps.refuse(c);
    const shown = await seen(list, reader);
    if (!shown) return c.notFound();
    return c.html(livePage(shown, { top: html`<h1>${LIST_TITLE}</h1>`, events: `${base}/events`, signOut }));
  });
  pages.get(RUN, async (c) => {
    const reader = await readerOf(c);
    if (!reader) return deps.refuse(c);
    const shown = await seen(one(c), reader);
    if (!shown) {
      auditDenied(log, c, "NotAllowed", reader.name);
      const message = "There is no such run, or you may not read it.";
      return c.html(
        stillPage("No such run", html`<h1>No such run</h1><p>${message}</p><p><a href="${base}">All runs</a></p>`),
        404,
      );
    }
    const { namespace, name } = c.req.param();
    const top = html`<div><p><a href="${base}">All runs</a></p><p class="soft">${namespace}</p><h1>${name}</h1></div>`;
    return c.html(livePage(shown, { top, events: `${c.req.path}/events`, signOut }));
  });
  return pages;
}
