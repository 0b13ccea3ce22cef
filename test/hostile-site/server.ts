import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pages } from "./pages.ts";

export interface HostileSite {
  readonly httpPort: number;
  /** TLS with a certificate that nobody trusts. */
  readonly httpsPort: number;
  /** Every request that arrived, as "host path". */
  readonly seen: string[];
  /** What requests that arrived carried to be known by, as "host path: cookie x-key". */
  readonly shown: string[];
  close(): Promise<void>;
}

/** A server of nasty pages; a page's name is the path. Robots.txt differs by host. */
export async function startHostileSite(): Promise<HostileSite> {
  const seen: string[] = [];
  const shown: string[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host ?? "unknown"}`);
    seen.push(`${url.hostname} ${url.pathname}`);
    const { cookie = "", "x-key": key = "" } = request.headers;
    if (cookie !== "" || key !== "") shown.push(`${url.hostname} ${url.pathname}: ${cookie} ${String(key)}`.trim());
    response.on("error", () => undefined);
    const page = pages[url.pathname];
    if (page) page(response, url, request);
    else response.writeHead(404, { "content-type": "text/html" }).end("<title>Not found</title><p>no such page");
  };
  const plain = http.createServer(answer);
  const secure = https.createServer(selfSigned(), answer);
  await Promise.all([listen(plain), listen(secure)]);
  return {
    httpPort: (plain.address() as AddressInfo).port,
    httpsPort: (secure.address() as AddressInfo).port,
    seen,
    shown,
    async close() {
      await Promise.all([plain, secure].map((server) => closeServer(server)));
    },
  };
}

function listen(server: http.Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function closeServer(server: http.Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

function selfSigned(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), "agentic-cert-"));
  try {
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
    execFileSync(
      "openssl",
      ["req", "-x509", ...curve, "-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=self-signed.test"],
      { stdio: "ignore" },
    );
    return { key: readFileSync(key), cert: readFileSync(cert) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
