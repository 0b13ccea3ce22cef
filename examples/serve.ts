/** The sample sites on one real HTTP server, each under its own host name. `node examples/serve.ts` serves them until Ctrl-C. */
import { readdirSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { getMimeType } from "hono/utils/mime";
import { FIFTY_PAGES } from "./pages-50.ts";

export interface SampleSites {
  readonly port: number;
  /** Every host name that is served. */
  readonly hosts: readonly string[];
  /** Requests answered so far, by `host/path`. */
  readonly hits: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

const SITES = fileURLToPath(new URL("./sites", import.meta.url));

export interface SampleSitesOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /**
   * What a page became since, or is for who asks with these headers: its HTML, by host and path (`www.acme.example/pricing`). Undefined: what it
   * was.
   */
  readonly edit?: (page: string, html: string, headers: Readonly<Record<string, string>>) => string | undefined;
}

/** Starts the server on loopback. */
export async function startSampleSites({ port = 0, edit }: SampleSitesOptions = {}): Promise<SampleSites> {
  const roots = siteRoots();
  const hits = new Map<string, number>();
  const app = new Hono();
  app.get("*", async (c) => {
    const { pathname, hostname } = new URL(c.req.url);
    const key = `${hostname}${pathname}`;
    hits.set(key, (hits.get(key) ?? 0) + 1);
    const root = roots.get(hostname);
    if (root === undefined) return c.text(`no sample site is called ${hostname}`, 404);
    const moved = (await redirects(root))[pathname];
    if (moved) return c.redirect(moved, 302);
    const path = await fileOf(root, pathname);
    if (path === undefined) return c.text("not found", 404);
    const bytes = await readFile(path);
    const edited = path.endsWith(".html") ? edit?.(key, bytes.toString("utf8"), c.req.header()) : undefined;
    return c.body(edited ?? new Uint8Array(bytes), 200, {
      "content-type": getMimeType(path) ?? "application/octet-stream",
      "cache-control": "max-age=60",
    });
  });
  const server = serve({ fetch: app.fetch, hostname: "127.0.0.1", port });
  await new Promise<void>((resolve, reject) => server.once("listening", resolve).once("error", reject));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the sample server has no port");
  return {
    port: address.port,
    hosts: [...roots.keys()],
    hits,
    async close() {
      if ("closeAllConnections" in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** Every host name that the sample sites have. */
export function sampleHosts(): string[] {
  return [...siteRoots().keys()];
}

/** Folder of each host: examples/sites/HOST, and the packages of the fifty pages. */
function siteRoots(): Map<string, string> {
  const require = createRequire(import.meta.url);
  const own = readdirSync(SITES).map((host) => [host, join(SITES, host)] as const);
  const packages = FIFTY_PAGES.map(
    (page) => [page.host, join(dirname(require.resolve(`${page.package}/package.json`)), page.root)] as const,
  );
  return new Map([...own, ...packages]);
}

/** A site's `_redirect.json`: from path to path. */
async function redirects(root: string): Promise<Record<string, string>> {
  const text = await readFile(join(root, "_redirect.json"), "utf8").catch(() => "{}");
  return JSON.parse(text) as Record<string, string>;
}

/** The file of a path, `/` and folders by their index.html, `/home` by home.html; undefined when there is none inside the root. */
async function fileOf(root: string, pathname: string): Promise<string | undefined> {
  const asked = normalize(join(root, decodeURIComponent(pathname)));
  if (asked !== root && !asked.startsWith(root + sep)) return undefined;
  for (const path of [asked, join(asked, "index.html"), `${asked}.html`]) {
    const found = await stat(path).catch(() => undefined);
    if (found?.isFile()) return path;
  }
  return undefined;
}

if (import.meta.main) {
  const sites = await startSampleSites({ port: Number(process.argv[2] ?? 0) });
  console.log(`127.0.0.1:${sites.port}`);
  for (const host of sites.hosts) console.log(`--resolve ${host}=127.0.0.1:${sites.port}`);
}
