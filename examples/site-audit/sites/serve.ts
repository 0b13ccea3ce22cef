/** The sample sites on one HTTP server, each under its own host name. `node sites/serve.ts [PORT]` serves them until Ctrl-C. */
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".txt": "text/plain",
  ".xml": "application/xml",
  ".pdf": "application/pdf",
};

/** How a site answers beside its files: sites/HOST/_server.json. */
interface SiteServer {
  /** Of every answer. A list is a header that comes more than once. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** From path to path. */
  readonly redirects?: Readonly<Record<string, string>>;
  /** Paths that answer this status. */
  readonly statuses?: Readonly<Record<string, number>>;
}

export interface SampleSites {
  readonly port: number;
  /** Every host name that is served. */
  readonly hosts: readonly string[];
  /** Requests answered so far, as `METHOD host/path`. */
  readonly requests: readonly string[];
  close(): Promise<void>;
}

/** Starts the server on loopback. `port` 0, the default, takes a free one. */
export async function startSampleSites(port = 0): Promise<SampleSites> {
  const entries = readdirSync(FOLDER, { withFileTypes: true });
  const hosts = entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  const sites = new Map(hosts.map((host) => [host, readSite(host)]));
  const requests: string[] = [];
  const server = createServer(async ({ method, headers, url = "/" }, response) => {
    const host = headers.host?.replace(/:\d+$/, "") ?? "";
    const path = decodeURIComponent(new URL(url, "http://site.example").pathname);
    requests.push(`${method} ${host}${path}`);
    const site = sites.get(host);
    if (!site) return end(response, 404, `no sample site is called ${host}`);
    for (const [name, value] of Object.entries(site.headers))
      response.setHeader(name, typeof value === "string" ? value : [...value]);
    const target = site.redirects?.[path];
    if (target !== undefined) return end(response.setHeader("location", target), 302);
    const status = site.statuses?.[path];
    if (status !== undefined) return end(response, status);
    const file = await fileOf(join(FOLDER, host), path);
    if (!file) return end(response, 404, "<!doctype html><title>Not found</title>");
    response.setHeader("content-type", TYPES[extname(file.path)] ?? "application/octet-stream");
    return end(response, 200, file.bytes);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject).listen(port, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server of the sample sites has no port");
  return {
    port: address.port,
    hosts,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function readSite(host: string): SiteServer {
  return JSON.parse(readFileSync(join(FOLDER, host, "_server.json"), "utf8")) as SiteServer;
}

function end(response: ServerResponse, status: number, body: string | Uint8Array = ""): void {
  response.writeHead(status).end(body);
}

/** The file of a path: a folder by its index.html, `/team` by team.html. Undefined where there is none inside the site. */
async function fileOf(root: string, path: string): Promise<{ path: string; bytes: Uint8Array } | undefined> {
  const asked = normalize(join(root, path));
  if (asked !== join(root, sep) && !asked.startsWith(root + sep)) return undefined;
  for (const candidate of [asked, join(asked, "index.html"), `${asked}.html`]) {
    const bytes = await readFile(candidate).catch(() => undefined);
    if (bytes) return { path: candidate, bytes };
  }
  return undefined;
}

if (import.meta.main) {
  const sites = await startSampleSites(Number(process.argv[2] ?? 0));
  console.log(`127.0.0.1:${sites.port}`);
  for (const host of sites.hosts) console.log(`--resolve ${host}=127.0.0.1:${sites.port}`);
}
