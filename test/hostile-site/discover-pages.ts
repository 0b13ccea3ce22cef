import { gzipSync } from "node:zlib";
import type { Page } from "./page.ts";

const text =
  (type: string, body: string | Buffer): Page =>
  (response) =>
    void response.writeHead(200, { "content-type": type }).end(body);
const urlset = (addresses: readonly string[]) =>
  `<?xml version="1.0"?><urlset>${addresses.map((address) => `<url><loc>${address}</loc></url>`).join("")}</urlset>`;
const index = (addresses: readonly string[]) =>
  `<sitemapindex>${addresses.map((address) => `<sitemap><loc>${address}</loc></sitemap>`).join("")}</sitemapindex>`;

/** The robots.txt of hosts whose sites have many pages, or say so. */
export const SITEMAP_ROBOTS: Readonly<Record<string, string>> = {
  "many.test": "User-agent: *\nDisallow: /plans\nSitemap: http://many.test/many.xml\n",
  "loops.test": [
    "Sitemap: http://loops.test/loop-a.xml",
    "Sitemap: http://loops.test/bomb.xml.gz",
    "Sitemap: http://elsewhere.test/map.xml",
    "Sitemap: http://10.0.0.1/map.xml",
    "Sitemap: http://loops.test/redirect-loop",
    "Sitemap: http://loops.test/redirect-metadata",
  ].join("\n"),
  "delay.test": "User-agent: *\nCrawl-delay: 4\n",
  "patience.test": "User-agent: *\nCrawl-delay: 86400\n",
  "slow.test": "Sitemap: http://slow.test/hang\n",
};

/** Pages with more links than anybody reads, and sitemaps that nobody should trust. */
export const DISCOVER_PAGES: Record<string, Page> = {
  "/many-links": text(
    "text/html",
    `<!doctype html><title>Many</title><h1>Many</h1>${Array.from({ length: 10_000 }, (_, at) => `<a href="/item/${at}">item ${at}</a>`).join(" ")}<a href="/pricing">Pricing</a>`,
  ),
  "/many.xml": text(
    "application/xml",
    urlset([
      "http://many.test/about-us",
      ...Array.from({ length: 50_000 }, (_, at) => `http://many.test/plans/${at}/pricing`),
    ]),
  ),
  "/loop-a.xml": text(
    "application/xml",
    index([
      "http://loops.test/loop-b.xml",
      "http://loops.test/loop-a.xml",
      "http://elsewhere.test/map.xml",
      "http://169.254.169.254/latest/",
    ]),
  ),
  "/loop-b.xml": text("application/xml", index(["http://loops.test/loop-a.xml", "http://loops.test/loop-c.xml"])),
  "/loop-c.xml": text(
    "application/xml",
    urlset(["http://10.0.0.1/pricing", "http://elsewhere.test/pricing", "http://loops.test/preise"]),
  ),
  "/bomb.xml.gz": text("application/gzip", gzipSync(Buffer.alloc(100_000_000))),
  "/lies": text(
    "text/html",
    `<!doctype html><title>Lies</title><h1>Lies</h1><img name="querySelectorAll"><img name="querySelector"><form><input name="shadowRoot"></form><a href="/pricing">Prices</a>
    <script>Map.prototype.set = () => { throw new Error("mine"); }; Array.prototype.map = () => "no list"; String.prototype.slice = () => "x".repeat(1e6);</script>`,
  ),
  "/locale": (response, _url, request) =>
    void response
      .writeHead(200, { "content-type": "text/html" })
      .end(
        `<!doctype html><title>Asked</title><p>${request.headers["accept-language"]}</p><script>document.body.append(navigator.language)</script>`,
      ),
  "/canonical-elsewhere": text(
    "text/html",
    `<!doctype html><title>Shop</title><link rel="canonical" href="http://elsewhere.test/"><h1>Shop</h1>
    <a href="/pricing?utm_source=nav#plans"><b>Prices</b></a><a href="/pricing/">Prices again</a><a href="http://elsewhere.test/pricing">Theirs</a>
    <shop-nav></shop-nav><script>customElements.define("shop-nav", class extends HTMLElement { constructor() { super(); this.attachShadow({ mode: "open" }).innerHTML = '<a href="/kunden" aria-label="Kunden"><svg></svg></a>'; } });</script>`,
  ),
};
