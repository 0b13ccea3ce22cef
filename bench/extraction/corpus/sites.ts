/** The packages of the corpus on one real HTTP server, each under its own host name. */
import { readFile, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { getMimeType } from "hono/utils/mime";
import { fetchPackage } from "./fetch.ts";
import type { CorpusPackage } from "./page.ts";
import { hostOf } from "./parts.ts";

export interface CorpusSites {
  readonly hosts: readonly string[];
  readonly port: number;
  /** What the server answers, without asking it. */
  answer(url: string): Promise<Response>;
  close(): Promise<void>;
}

interface Site {
  readonly root: string;
  readonly examples: CorpusPackage["examples"];
  readonly fallback: string | undefined;
  readonly mounts: readonly { readonly at: string; readonly root: string }[];
}

/** Fetches what is not in the cache yet. */
export async function startCorpusSites(packages: readonly CorpusPackage[]): Promise<CorpusSites> {
  const roots = new Map(packages.map((one) => [one.name, join(fetchPackage(one), one.root)]));
  const rootOf = (name: string) => {
    const root = roots.get(name);
    if (root === undefined) throw new Error(`packages.json has no ${name}, which another package mounts`);
    return root;
  };
  const sites = new Map<string, Site>(
    packages.map(({ name, examples, fallback, mounts = {} }) => [
      hostOf(name),
      {
        root: rootOf(name),
        examples,
        fallback,
        mounts: Object.entries(mounts).map(([at, mounted]) => ({ at: `${at}/`, root: rootOf(mounted) })),
      },
    ]),
  );
  const app = new Hono();
  app.get("*", async (c) => {
    const { pathname, hostname } = new URL(c.req.url);
    const site = sites.get(hostname);
    if (site === undefined) return c.text(`the corpus has no ${hostname}`, 404);
    if (site.examples && pathname === "/examples") return c.html(await examplesOf(site.root, site.examples));
    const path = (await fileOf(site, decodeURIComponent(pathname))) ?? (await fallbackOf(site));
    if (path === undefined) return c.text("not found", 404);
    return c.body(new Uint8Array(await readFile(path)), 200, { "content-type": typeOf(path) });
  });
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port: 0 });
  await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the corpus' server has no port");
  return {
    hosts: [...sites.keys()],
    port: address.port,
    answer: async (url) => app.request(url),
    async close() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** What a README shows between ```html and ``` below its heading Examples, one after the other. */
async function examplesOf(root: string, { readme, script }: NonNullable<CorpusPackage["examples"]>): Promise<string> {
  const text = await readFile(join(root, readme), "utf8");
  const shown = text.slice(text.indexOf("\n## Examples")).matchAll(/```html\n(.*?)```/gs);
  const head = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Examples</title></head>`;
  return `${head}<body>${[...shown].map(([, html]) => html).join("\n")}<script src="/${script}"></script></body></html>`;
}

async function fileOf({ root, mounts }: Site, pathname: string): Promise<string | undefined> {
  const mount = mounts.find(({ at }) => pathname.startsWith(at));
  return mount ? fileIn(mount.root, pathname.slice(mount.at.length)) : fileIn(root, pathname);
}

async function fallbackOf({ root, fallback }: Site): Promise<string | undefined> {
  return fallback === undefined ? undefined : fileIn(root, fallback);
}

/** Folders by their index.html, `/home` by home.html; undefined for what is not below the root. */
export async function fileIn(root: string, pathname: string): Promise<string | undefined> {
  const asked = resolve(root, `.${sep}${pathname}`);
  if (relative(root, asked).startsWith("..")) return undefined;
  for (const path of [asked, join(asked, "index.html"), `${asked}.html`]) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return path;
  }
  return undefined;
}

function typeOf(path: string): string {
  return getMimeType(path) ?? "application/octet-stream";
}
