import { ACCESS_PAGES } from "./access-pages.ts";
import { COMPOSED_PAGES } from "./composed-pages.ts";
import { DISCOVER_PAGES, SITEMAP_ROBOTS } from "./discover-pages.ts";
import { LIST_PAGES } from "./list-pages.ts";
import { MOVING_PAGES } from "./moving-pages.ts";
import { html, type Page } from "./page.ts";
import { SWITCH_PAGES } from "./switch-pages.ts";

const status =
  (code: number, body = `<h1>${code}</h1>`, headers: Record<string, string> = {}): Page =>
  (response) =>
    void response.writeHead(code, { "content-type": "text/html", ...headers }).end(body);

const to =
  (location: string, code = 302): Page =>
  (response) =>
    void response.writeHead(code, { location }).end();

const bytes =
  (type: string, body: string | Buffer, headers: Record<string, string> = {}): Page =>
  (response) =>
    void response.writeHead(200, { "content-type": type, ...headers }).end(body);

const PIXEL = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

const banner = (button: string) =>
  `<h1>Shop</h1><div id="banner" role="dialog" style="position:fixed;inset:auto 0 0 0;background:#eee;padding:20px">
  <p>We use cookies to improve things.</p>${button}</div>
  <script>document.addEventListener("click", (e) => { const b = (e.composedPath()[0]); if (b.dataset && b.dataset.close) { document.title = "closed by " + b.dataset.close; document.getElementById("banner").remove(); } });</script>`;

/** Prices below the first screen, of which nothing is text. */
const painted = (below: number) =>
  html(
    `<h1>Pricing</h1><p>Two plans, for people and for teams.</p><div style="height:${below}px"></div><canvas id="c" width="640" height="200"></canvas>
    <script>const c = document.getElementById("c").getContext("2d"); c.fillStyle = "#cde"; c.fillRect(0, 0, 640, 200); c.fillStyle = "#000"; c.font = "28px sans-serif"; c.fillText("Solo $29 a month", 20, 60); c.fillText("Team $59 a month", 20, 140);</script>`,
    "<title>Painted</title>",
  );

export const pages: Record<string, Page> = {
  "/robots.txt": (response, url) => {
    if (url.hostname === "no-robots.test") return status(404)(response, url, undefined as never);
    if (url.hostname === "closed.test")
      return bytes("text/plain", "User-agent: agentic\nDisallow: /\n")(response, url, undefined as never);
    if (url.hostname === "robots-down.test") return status(500)(response, url, undefined as never);
    if (url.hostname === "robots-loop.test") return to("/robots.txt")(response, url, undefined as never);
    if (url.hostname === "silent.test") return undefined;
    const rules = SITEMAP_ROBOTS[url.hostname];
    if (rules !== undefined) return bytes("text/plain", rules)(response, url, undefined as never);
    return bytes("text/plain", "User-agent: *\nDisallow: /private\n")(response, url, undefined as never);
  },
  "/": html(
    `<h1>Welcome</h1><p>From $19 per month.</p><img src="/pixel.png" width="50" height="50"><script>console.error("a complaint"); console.warn("a hint")</script>`,
    `<title>Plain page</title><meta name="description" content="What it is about">`,
  ),
  "/pixel.png": bytes("image/png", PIXEL),
  "/agent": (response, url, request) => html(`<p>${request.headers["user-agent"]}`)(response, url, request),
  "/private": html("<p>secret"),
  "/redirect": to("/redirect-2"),
  "/redirect-2": to("/", 301),
  "/redirect-loop": to("/redirect-loop"),
  "/redirect-foreign": to("http://foreign.test/"),
  "/redirect-foreign-tls": to("https://foreign.test/"),
  "/redirect-metadata": to("http://169.254.169.254/latest/meta-data/"),
  "/redirect-refused": to("https://refused.test/"),
  "/script-foreign": html(`<script>location.href = "http://foreign.test/"</script><p>bye`),
  "/script-loop": html(`<p>again</p><script>location.reload()</script>`),
  "/script-redirect": html(`<p>moved</p><script>location.replace("/")</script>`),
  "/endless": html(
    `<main></main><script>let n = 0; const more = () => { for (let i = 0; i < 20; i++) { const p = document.createElement("p"); p.style.height = "100px"; p.textContent = "item " + n++; document.querySelector("main").append(p); } };
    more(); addEventListener("scroll", () => { if (scrollY + innerHeight * 2 > document.documentElement.scrollHeight) more(); });</script>`,
  ),
  "/lazy": html(
    `<div style="height:3000px">tall</div><img id="late" loading="lazy" src="/late.png" width="10" height="10"><p id="seen"></p>
    <script>new IntersectionObserver((e) => { if (e[0].isIntersecting) document.getElementById("seen").textContent = "was scrolled to"; }).observe(document.getElementById("late"))</script>`,
  ),
  "/late.png": bytes("image/png", PIXEL),
  "/big": html(
    `<script>document.write("<p>" + "words and more ".repeat(5) + "</p>".repeat(1)); let s = ""; for (let i = 0; i < 130000; i++) s += "<p>" + "a paragraph of words, number " + i + " of very many of them in a row</p>"; document.body.insertAdjacentHTML("beforeend", s);</script>`,
  ),
  // A hundred megabytes, for the most part of what nobody sees.
  "/huge": html(
    `<h1>Huge</h1><script>const words = "words and more ".repeat(7000); for (let at = 0; at < 1000; at++) { const p = document.createElement("p"); p.hidden = at > 5; p.textContent = words + at; document.body.append(p); }</script>`,
  ),
  "/flips": html(
    `<h1>Plans</h1><main></main><script>let n = 0; setInterval(() => { n = 1 - n; document.querySelector("main").innerHTML = "<h3>Solo</h3><p>$" + (n ? 19 : 9) + " per month</p>"; }, 3)</script>`,
  ),
  "/dialogs": html(
    `<h1>Dialogs</h1><script>alert("one"); confirm("two"); prompt("three"); addEventListener("beforeunload", (e) => { e.preventDefault(); e.returnValue = "stay"; });</script>`,
  ),
  "/popups": html(
    `<h1>Popups</h1><script>for (let i = 0; i < 100; i++) window.open("/?" + i); for (let i = 0; i < 5; i++) { const a = document.createElement("a"); a.href = "/"; a.target = "_blank"; document.body.append(a); a.click(); }</script>`,
  ),
  "/half-character": html(`<h1>Half</h1><script>document.title = "half \\ud83d";</script>`),
  "/frames": html(`<h1>Frames</h1>${'<iframe src="/frame"></iframe>'.repeat(20)}<iframe src="/frames"></iframe>`),
  "/frame": html("<p>in a frame"),
  ...ACCESS_PAGES,
  ...COMPOSED_PAGES,
  ...SWITCH_PAGES,
  ...MOVING_PAGES,
  ...LIST_PAGES,
  ...DISCOVER_PAGES,
  "/painted-prices": painted(1500),
  "/painted-deep": painted(13_000),
  "/late-timer": html(
    `<h1>Plans</h1><main></main><script>const ms = Number(new URLSearchParams(location.search).get("ms"));
    addEventListener("load", () => setTimeout(() => { document.querySelector("main").innerHTML = "<section><h3>Solo</h3><p>$9 per month</p></section>"; }, ms));</script>`,
  ),
  "/late-answer": html(
    `<h1>Plans</h1><main></main><script>addEventListener("load", async () => { const answer = await fetch("/slow" + location.search);
    const text = await answer.text(); setTimeout(() => { document.querySelector("main").innerHTML = text; }, 100); });</script>`,
  ),
  "/slow": (response, url) => {
    const answer = () =>
      bytes("text/html", "<section><h3>Solo</h3><p>$9 per month</p></section>")(response, url, undefined as never);
    setTimeout(answer, Number(url.searchParams.get("ms")));
  },
  "/trickle": html(
    `<h1>Trickle</h1><main></main><script>let n = 0; setInterval(() => { const p = document.createElement("p"); p.textContent = "item " + n++; document.querySelector("main").append(p); }, 40)</script>`,
  ),
  "/download": bytes("application/octet-stream", "bytes", { "content-disposition": "attachment; filename=x.bin" }),
  "/pdf": bytes("application/pdf", "%PDF-1.4\n%%EOF"),
  "/image": bytes("image/png", PIXEL),
  "/json": bytes("application/json", '{"a":1}'),
  "/text": bytes("text/plain", "plain words"),
  "/empty": bytes("text/html", ""),
  "/no-content": (response) => void response.writeHead(204).end(),
  "/gone": status(410),
  "/missing": status(404),
  "/login": status(401),
  "/forbidden": status(403, "<title>Forbidden</title><h1>Forbidden</h1>"),
  "/broken": status(500),
  "/busy": status(503, "<h1>Busy</h1>", { "retry-after": "7" }),
  "/too-many": status(429),
  "/cloudflare": status(403, `<title>Just a moment...</title><script>window._cf_chl_opt={}</script>`, {
    "cf-mitigated": "challenge",
  }),
  "/captcha": status(429, `<title>Hold on</title><div class="g-recaptcha"></div>`),
  "/human": html("<p>Please verify you are human to go on.</p>", "<title>Wait</title>"),
  "/contact": html(
    `<h1>Contact</h1><p>${"We answer within a day. ".repeat(60)}</p><form><div class="g-recaptcha"></div><input></form>`,
  ),
  "/hang": () => undefined,
  "/cut": (response) => void response.socket?.destroy(),
  "/stream": (response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.write("<title>Streaming</title><h1>Begins</h1>");
  },
  "/never-loads": html(`<h1>Never loads</h1><img src="/hang"><script src="/hang" async></script>`),
  "/waits": html(`<h1>Half a page</h1><img src="/hang">`),
  "/part-cut": html(`<h1>A page</h1><img src="/cut">`),
  "/busy-loop": html(
    `<h1>Busy</h1><script>addEventListener("load", () => setTimeout(() => { for (;;); }, 0))</script>`,
  ),
  "/media": html(`<h1>Media</h1><video src="/film.mp4" autoplay muted></video>`),
  "/film.mp4": bytes("video/mp4", Buffer.alloc(1000)),
  "/foreign-parts": (response, url) =>
    html(`<h1>Parts</h1><img src="http://foreign.test/a.png"><img src="http://foreign.test/b.png"><img src="https://foreign-tls.test/c.png">
      <img src="http://127.0.0.1:${url.searchParams.get("inner")}/inner.png"><img src="http://localhost:${url.searchParams.get("inner")}/inner.png"><img src="http://169.254.169.254/latest"><img src="/pixel.png">
      <script>const ice = (C) => { try { const c = new C({ iceServers: [{ urls: "stun:127.0.0.1:${url.searchParams.get("udp")}" }] }); c.createDataChannel("x"); c.createOffer().then((o) => c.setLocalDescription(o)); } catch (e) {} };
      ice(window.RTCPeerConnection);
      const f = document.createElement("iframe"); f.srcdoc = "<p>x"; document.body.append(f); ice(f.contentWindow.RTCPeerConnection);
      try { new WebTransport("https://127.0.0.1:${url.searchParams.get("udp")}/"); } catch (e) {}
      new Worker(URL.createObjectURL(new Blob(["try { new WebTransport('https://127.0.0.1:${url.searchParams.get("udp")}/') } catch (e) {}"])));</script>`)(
      response,
      url,
      undefined as never,
    ),
  "/consent-onetrust": html(banner(`<button id="onetrust-accept-btn-handler" data-close="onetrust">Allow</button>`)),
  "/consent-german": html(
    banner(
      `<button data-close="accept">Alle akzeptieren</button><button data-close="refuse">Nur notwendige Cookies</button>`,
    ),
  ),
  "/consent-french": html(banner(`<a href="#" data-close="french">Tout accepter</a>`)),
  "/consent-shadow":
    html(`<h1>Shop</h1><div id="banner"></div><script>const r = document.getElementById("banner").attachShadow({ mode: "open" });
    r.innerHTML = '<div style="position:fixed;bottom:0">Cookies are used. <button>Reject all</button></div>';
    r.querySelector("button").onclick = () => { document.title = "closed by shadow"; document.getElementById("banner").remove(); };</script>`),
  "/consent-frame": html(
    `<h1>Shop</h1><iframe id="banner" src="/consent-frame-inner" style="position:fixed;bottom:0"></iframe><script>onmessage = () => { document.title = "closed by frame"; document.getElementById("banner").remove(); }</script>`,
  ),
  "/consent-frame-inner": html(
    `<p>Cookie settings</p><button onclick="parent.postMessage('x', '*')">Accept all</button>`,
  ),
  "/no-consent": html(
    `<h1>Buy</h1><button onclick="document.title='pressed'">Accept</button><p>our cookies are baked daily</p>`,
  ),
};
