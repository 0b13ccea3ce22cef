import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudEvent, HTTP } from "cloudevents";
import type { Hono } from "hono";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Decision } from "../../engine/findings.ts";
import { createApp } from "../../functions/approve/index.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
import { createFolderReviews, type FolderReviews } from "../../lib/edges/reviews/folder.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { RetryableError } from "../../lib/errors.ts";
import { createLinkAuthorizer, mintReviewLink, type ReviewLink } from "../../lib/review-link.ts";
import {
  fact,
  failed,
  OPENED,
  pngOf,
  REF,
  recordOf,
  sites,
  succeeded,
  summaryOf,
  UID,
  WORKLOAD,
} from "./review-fixture.ts";

const keys = generateKeyPairSync("ed25519");
const WORKLOAD_PATH = "/review/default/invoicing";
const PATH = `${WORKLOAD_PATH}/review`;
const OTHER_UID = "7d1f3c52-0000-4000-8000-000000000002";
const OTHER = { ...REF, uid: OTHER_UID };

let folder: string;
let store: Artifacts;
let reviews: FolderReviews;
let app: Hono;
let now: Date;
let record: ReviewRecord;
/** Lines of JSON, of warnings and errors. */
const logged: string[] = [];
beforeEach(async () => {
  logged.length = 0;
  folder = await mkdtemp(join(tmpdir(), "agentic-approve-"));
  store = createFolderArtifacts(join(folder, "artifacts"));
  reviews = createFolderReviews(join(folder, "reviews"));
  now = OPENED;
  record = await recordOf(store, await sites(store));
  await reviews.open(record);
  app = appOver(store);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

function appOver(artifacts: Artifacts): Hono {
  return createApp({
    reviews,
    artifacts,
    authorize: createLinkAuthorizer([keys.publicKey]),
    now: () => now,
    log: pino({ level: "warn" }, { write: (line: string) => void logged.push(line) }),
    draining: new AbortController().signal,
  });
}

/** The link's token for the review that every test has, unless `over` says otherwise. */
function token(over: Partial<ReviewLink> = {}, key = keys.privateKey, expires = new Date(Date.now() + 60_000)) {
  const { gate, digest } = record.review;
  return mintReviewLink(key, { ...REF, gate, digest, by: "ada", how: "ReviewLink", ...over }, expires);
}
const tokenOf = ({ review }: ReviewRecord, over: Partial<ReviewLink> = {}): Promise<string> =>
  token({ gate: review.gate, digest: review.digest, ...over });

async function get(path: string, bearer?: string, headers: Record<string, string> = {}): Promise<Response> {
  return app.request(path, { headers: { authorization: `Bearer ${bearer ?? (await token())}`, ...headers } });
}

/** Opens a review of these results in place of the one before. @returns its page */
async function pageOf(
  results: Parameters<typeof recordOf>[1],
  over: Parameters<typeof recordOf>[2] = {},
): Promise<string> {
  record = await recordOf(store, results, over);
  await reviews.open(record);
  const response = await get(`${WORKLOAD_PATH}/${record.review.gate}`);
  expect(response.status).toBe(200);
  return response.text();
}

async function postJson(body: unknown, over: { token?: string; path?: string } = {}): Promise<Response> {
  return app.request(over.path ?? PATH, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${over.token ?? (await token())}` },
    body: JSON.stringify(body),
  });
}
async function postForm(fields: Record<string, string>, headers: Record<string, string> = OWN_ORIGIN) {
  return app.request(PATH, {
    method: "POST",
    headers: { authorization: `Bearer ${await token()}`, accept: "text/html", ...headers },
    body: new URLSearchParams(fields),
  });
}
const OWN_ORIGIN = { origin: "http://localhost" };
const approved = () => ({ decision: "approved", digest: record.review.digest, comment: "Weigh the free tiers." });
const decisionNow = async () => (await reviews.read(REF, "review"))?.review.decision;

describe("a link", () => {
  test("its token moves into a cookie, and with that the page is there", async () => {
    const first = await app.request(`${WORKLOAD_PATH}?token=${await token()}`);
    expect([first.status, first.headers.get("location")]).toEqual([303, PATH]);
    const cookie = first.headers.get("set-cookie") ?? "";
    for (const attribute of ["HttpOnly", "SameSite=Lax", `Path=${WORKLOAD_PATH}`]) expect(cookie).toContain(attribute);
    expect(cookie).not.toContain("Secure");
    const page = await app.request(PATH, { headers: { cookie: cookie.split(";")[0] ?? "", accept: "text/html" } });
    expect([page.status, page.headers.get("cache-control")]).toEqual([200, "no-store"]);
  });

  test.each<[string, string, Record<string, string>]>([
    ["over https", "https://review.example", {}],
    ["behind a proxy that ends TLS", "", { "x-forwarded-proto": "https, http" }],
  ])("%s its cookie is for https only", async (_name, origin, headers) => {
    const response = await app.request(`${origin}${PATH}?token=${await token()}`, { headers });
    expect(response.headers.get("set-cookie")).toContain("Secure");
  });

  test.each<[string, () => Promise<string | undefined>, number]>([
    ["none", async () => undefined, 401],
    ["by another key", () => token({}, generateKeyPairSync("ed25519").privateKey), 401],
    ["that has expired", () => token({}, keys.privateKey, new Date(Date.now() - 1000)), 401],
    ["of another workload", () => token({ name: "other" }), 403],
    ["of another namespace", () => token({ namespace: "other" }), 403],
    ["of another gate", () => token({ gate: "other" }), 403],
    ["of earlier findings", () => token({ digest: "1".repeat(64) }), 403],
  ])("%s shows nothing", async (_name, make, status) => {
    const bearer = await make();
    const headers = { accept: "text/html", ...(bearer ? { authorization: `Bearer ${bearer}` } : {}) };
    for (const path of [PATH, `${PATH}/pictures/x.png`, `${PATH}/outputs/html`]) {
      const response = await app.request(path, { headers });
      expect([path, response.status]).toEqual([path, status]);
      expect(await response.text()).not.toContain(record.review.digest.slice(0, 16));
    }
  });

  test("that is invalid sets no cookie", async () => {
    const response = await app.request(`${PATH}?token=nonsense`, { headers: { accept: "text/html" } });
    expect([response.status, response.headers.get("set-cookie")]).toEqual([401, null]);
  });

  test("cannot say that a timeout decided", async () => {
    await expect(token({ how: "Timeout" as ReviewLink["how"] })).rejects.toThrow();
  });
});

describe("who is refused stands in the log, without the token", () => {
  const forged = () => token({}, generateKeyPairSync("ed25519").privateKey);
  test.each<[string, (bearer: string) => unknown]>([
    ["a page", (bearer) => get(PATH, bearer)],
    ["a link", (bearer) => app.request(`${PATH}?token=${bearer}`, { headers: { accept: "text/html" } })],
    ["a decision as JSON", (bearer) => postJson(approved(), { token: bearer })],
  ])("%s", async (_, ask) => {
    const bearer = await forged();
    await ask(bearer);
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        audit: true,
        event: "agentic.audit.access.denied",
        "agentic.workload.namespace": "default",
        "agentic.workload.name": "invoicing",
        "agentic.reason": "NotAllowed",
      }),
    ]);
    expect(logged.join("")).not.toContain(bearer);
  });

  test("a form of another page", async () => {
    await postForm({ decision: "approved", digest: record.review.digest }, { origin: "https://evil.example" });
    expect(logged.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        "agentic.workload.name": "invoicing",
        "agentic.step": "review",
        "agentic.reason": "ForeignForm",
      }),
    ]);
  });
});

describe("the review page", () => {
  test("shows what was asked, what was found, what it cost, and what a decision costs", async () => {
    const page = await (await get(PATH)).text();
    for (const shown of [
      "<h1>Find gaps in invoicing tools for freelancers.</h1>",
      "Capture sites, analyze them, let a person review, write the report.",
      "default/invoicing",
      "agentic-system/market-analysis",
      "<dt>depth</dt><dd>2</dd>",
      "3 succeeded, 1 failed",
      "$0.0081, 41,200 tokens",
      "<dt>Approving costs at most</dt><dd>$0.0020</dd>",
      "<dt>Without a decision by 2026-11-21 12:00 UTC</dt><dd>rejected</dd>",
      record.review.digest,
      "scrape failed (Blocked): the page shows a captcha",
      "Offers (3)",
      "<blockquote>Studio $29/mo</blockquote>",
      "The page was cut at 20,000 pixels of 41,200.",
    ])
      expect(page).toContain(shown);
    const headings = [...page.matchAll(/<th scope="col">([^<]+)/g)].map(([, text]) => text);
    expect(headings).toEqual(["Result", "Positioning", "Prices", "First call to action", "Caveats"]);
  });

  test("links the run's trace, where it can be looked at", async () => {
    expect(await (await get(PATH)).text()).not.toContain("<dt>Trace</dt>");
    await reviews.open({ ...record, traceUrl: "https://jaeger.example/trace/1" });
    expect(await (await get(PATH)).text()).toContain('<dt>Trace</dt><dd><a href="https://jaeger.example/trace/1"');
    await expect(reviews.open({ ...record, traceUrl: "javascript:alert(1)" })).rejects.toThrow();
  });

  test("says so when the cost of approving is not known", async () => {
    const { costOfApproving: _known, ...review } = record.review;
    await reviews.open({ ...record, review: { ...review, run: "other" } });
    expect(await (await get(PATH)).text()).toContain("<dd>not known</dd>");
  });

  test.each<[string, Record<string, string | number | boolean>, string]>([
    ["the only text among the inputs", { objective: "Find gaps.", depth: 2 }, "<h1>Find gaps.</h1>"],
    ["the description, where several texts were asked", { a: "one", b: "two" }, "<h1>Capture sites, analyze them"],
    ["the description, where no text was asked", { depth: 2 }, "<h1>Capture sites, analyze them"],
  ])("its heading is %s", async (_name, inputs, heading) => {
    expect(await pageOf([], { inputs })).toContain(heading);
  });

  test("what a summary says is escaped, and no script may run", async () => {
    const script = "<script>alert(1)</script>";
    const hostile = summaryOf(script, {
      subtitle: `"><img src=x onerror=alert(1)>`,
      facts: [fact(script, script, { quote: script, url: script }), fact("A", script), fact("A", script)],
      caveats: [script],
    });
    const page = await pageOf([
      await succeeded(store, "https://hostile.example/", hostile),
      failed(script, script, script),
      {
        step: "analyze",
        item: { [script]: script },
        outcome: "succeeded",
        output: script,
        data: script,
        artifacts: {},
      },
    ]);
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    const headers = (await get(PATH)).headers;
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
  });

  test("only addresses of http and https become links, without a referrer", async () => {
    const addresses = ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://good.example/a?b=1&c=2"];
    const facts = addresses.flatMap((url) => [fact("Link", "found", { url }), fact("Link", url)]);
    const page = await pageOf([
      await succeeded(store, "x", summaryOf("X", { subtitle: "javascript:alert(1)", facts })),
    ]);
    const links = [...page.matchAll(/<a href="([^#"]+)"([^>]*)>/g)].map(([, href, rest]) => [href, rest?.trim()]);
    const good = ["https://good.example/a?b=1&amp;c=2", 'rel="noopener noreferrer"'];
    expect(links).toEqual([good, good]);
  });

  test.each<[string, () => Promise<string>, string]>([
    ["that is not JSON", () => store.put(WORKLOAD, "<html>", "html"), "it is not JSON"],
    ["of another shape", () => store.put(WORKLOAD, '{"title":1}', "json"), "title: Invalid input"],
    ["that is gone", async () => `${REF.namespace}/${UID}/${"3".repeat(64)}.json`, "is not in the store"],
    ["that is no key", async () => "../../etc/passwd", "is not an artifact of"],
    [
      "that is not its own",
      () => store.put(OTHER, JSON.stringify(summaryOf("Secret")), "json"),
      "is not an artifact of",
    ],
    ["that is too large", () => store.put(WORKLOAD, " ".repeat(8 * 1024 * 1024 + 1), "json"), "it has 8388609 bytes"],
    [
      "with a picture of another workload",
      async () => {
        const image = await store.put(OTHER, await pngOf("#123456"), "png");
        const picture = { image, alt: "Secret", width: 640, height: 400 };
        return store.put(WORKLOAD, JSON.stringify(summaryOf("Secret", { pictures: [picture] })), "json");
      },
      "is no PNG or JPEG of this workload",
    ],
    [
      "with a picture that is a page",
      async () => {
        const image = await store.put(WORKLOAD, "<script>", "html");
        const picture = { image, alt: "Secret", width: 640, height: 400 };
        return store.put(WORKLOAD, JSON.stringify(summaryOf("Secret", { pictures: [picture] })), "json");
      },
      "is no PNG or JPEG of this workload",
    ],
  ])("a summary %s is a line on its item, not the end of the page", async (_name, put, line) => {
    const bad = { ...(await succeeded(store, "https://bad.example/", {})), artifacts: { summary: await put() } };
    const page = await pageOf([bad, ...(await sites(store))]);
    expect(page).toContain("The summary of step analyze cannot be shown:");
    expect(page).toContain(line);
    expect(page).not.toContain("Secret");
    expect(page).toContain("Paper Plane");
    expect(page).toContain('<button class="go"');
  });

  test("an item without a summary shows its output and its data", async () => {
    const data = { count: 3, list: Array.from({ length: 4000 }, (_, at) => `entry ${at}`) };
    const page = await pageOf([
      {
        step: "measure",
        item: { path: "/a", lang: "en" },
        outcome: "succeeded",
        output: "3 pages",
        data,
        artifacts: {},
      },
      { step: "measure", item: "b", outcome: "skipped", artifacts: {} },
    ]);
    for (const shown of [
      "lang: en, path: /a",
      "<p>3 pages</p>",
      "&quot;count&quot;: 3",
      "…</pre>",
      "measure was skipped",
    ])
      expect(page).toContain(shown);
    expect(page.length).toBeLessThan(30_000);
  });

  test("names the step of each result where several steps are shown", async () => {
    const page = await pageOf([
      await succeeded(store, "a", summaryOf("A")),
      await succeeded(store, "a", summaryOf("A, measured"), "measure"),
    ]);
    expect(page).toContain('<th scope="col">Step</th>');
    expect(page).toContain('<td class="step">measure</td>');
  });

  test("with 500 results is there in time, reads a few at once, and its pictures read no summary again", async () => {
    const image = await store.put(WORKLOAD, await pngOf("#225588"), "png");
    const long = "x".repeat(900);
    const results = await Promise.all(
      Array.from({ length: 500 }, (_, at) =>
        succeeded(
          store,
          `https://${at}.example/`,
          summaryOf(`Site ${at}`, {
            facts: Array.from({ length: 60 }, (_, index) =>
              fact(index < 4 ? `F${index}` : "Many", long, { quote: long }),
            ),
            pictures: [{ image, alt: "It", width: 640, height: 400 }],
            caveats: ["Cut."],
          }),
        ),
      ),
    );
    record = await recordOf(store, results);
    await reviews.open(record);
    let reads = 0;
    let running = 0;
    let most = 0;
    app = appOver({
      ...store,
      async get(workload, key) {
        reads++;
        most = Math.max(most, ++running);
        return store.get(workload, key).finally(() => running--);
      },
    });
    const started = performance.now();
    const page = await (await get(PATH)).text();
    expect(performance.now() - started).toBeLessThan(20_000);
    expect(page.length).toBeLessThan(8_000_000);
    expect(page).toContain("Many (56)");
    expect(page).toContain("entries of this summary do not fit on this page");
    expect(page.match(/<article/g)).toHaveLength(500);
    expect(most).toBeLessThanOrEqual(8);
    reads = 0;
    const picture = await get(`${PATH}/pictures/${image.split("/").at(-1)}`);
    expect([picture.status, reads]).toEqual([200, 1]);
  });

  test("serves the pictures of these findings, and nothing else from the store", async () => {
    const text = await (await get(PATH)).text();
    const [, full = "", small = ""] = /<a href="([^"]+\/pictures\/[^"]+)"><img[^>]+src="([^"]+)"/.exec(text) ?? [];
    for (const picture of [small, full]) {
      const served = await appOver(store).request(picture, { headers: { authorization: `Bearer ${await token()}` } });
      expect([served.status, served.headers.get("content-type")]).toEqual([200, "image/png"]);
      expect(served.headers.get("cache-control")).toContain("immutable");
    }
    const unrelated = await store.put(WORKLOAD, await pngOf("#abcdef"), "png");
    for (const key of [record.findings, unrelated])
      expect((await get(`${PATH}/pictures/${key.split("/").at(-1)}`)).status).toBe(404);
  });

  test.each<[string, () => Promise<Partial<ReviewRecord>>, string]>([
    ["of another digest", async () => ({ review: { ...record.review, digest: "4".repeat(64) } }), "FindingsMismatch"],
    ["of another gate", async () => ({ review: { ...record.review, gate: "other" } }), "FindingsMismatch"],
    ["of another workload", async () => ({ workload: { ...record.workload, uid: OTHER_UID } }), "InvalidArtifactKey"],
    [
      "that tell of another workload",
      async () => {
        const { findings, review } = await recordOf(store, [], { workload: { ...WORKLOAD, uid: OTHER_UID } });
        return { findings, review };
      },
      "FindingsMismatch",
    ],
  ])("shows no findings %s", async (_name, over, reason) => {
    record = { ...record, ...(await over()) };
    await reviews.open(record);
    const response = await get(`${WORKLOAD_PATH}/${record.review.gate}`);
    expect([response.status, await response.json()]).toMatchObject([500, { reason }]);
  });

  test.each<[string, (key: string) => boolean]>([
    ["the findings", () => true],
    ["one summary", (key) => key !== record.findings],
  ])("says when the store could not read %s, and that it may pass", async (_name, unreadable) => {
    app = appOver({
      ...store,
      async get(workload, key) {
        if (!unreadable(key)) return store.get(workload, key);
        throw new RetryableError("ArtifactStoreUnavailable", "the artifact store could not read", {
          retryAfterSeconds: 2,
        });
      },
    });
    const response = await get(PATH, undefined, { accept: "text/html" });
    expect([response.status, response.headers.get("retry-after")]).toEqual([503, "2"]);
    expect(await response.text()).toContain("the artifact store could not read");
  });
});

describe("another site", () => {
  test("frames no page, and takes no form of it", async () => {
    const { headers } = await get(PATH);
    const policy = headers.get("content-security-policy") ?? "";
    for (const directive of ["frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"])
      expect(policy).toContain(directive);
  });

  test("cannot fill the page with what is wrong with its summary", async () => {
    const facts = Array.from({ length: 400 }, () => fact("", "no label"));
    const page = await pageOf([await succeeded(store, "https://wrong.example/", summaryOf("Wrong", { facts }))]);
    const at = page.indexOf("The summary of step analyze cannot be shown:");
    expect(at).toBeGreaterThan(0);
    expect(page.slice(at).split("facts.").length).toBeLessThan(30);
    expect(page).not.toContain("facts.399");
  });
});

describe("outputs", () => {
  test("are served by name, with the type of their bytes, and run nothing", async () => {
    const put = (content: string, extension: "html" | "csv" | "svg" | "xlsx") =>
      store.put(WORKLOAD, content, extension);
    const outputs = {
      report: await put("<script>", "html"),
      "a table": await put("a,b", "csv"),
      map: await put("<svg/>", "svg"),
      sheets: await put("PK", "xlsx"),
    };
    await reviews.open({ ...record, outputs });
    await postJson(approved());
    const page = await (await get(PATH)).text();
    for (const name of ["report", "a%20table", "map", "sheets"])
      expect(page).toContain(`href="${PATH}/outputs/${name}"`);
    const seen: unknown[] = [];
    for (const name of ["report", "a%20table", "map", "sheets"]) {
      const { status, headers } = await get(`${PATH}/outputs/${name}`);
      expect([status, headers.get("x-content-type-options"), headers.get("cache-control")]).toEqual([
        200,
        "nosniff",
        "no-store",
      ]);
      seen.push([headers.get("content-type"), headers.get("content-security-policy")]);
    }
    expect(seen).toEqual([
      ["text/html; charset=utf-8", "sandbox"],
      ["text/csv; charset=utf-8", null],
      ["image/svg+xml", "sandbox"],
      ["application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", null],
    ]);
  });

  test.each(["constructor", "__proto__", "toString", "other", ".."])("there is none named %s", async (name) => {
    await reviews.open({ ...record, outputs: { html: await store.put(WORKLOAD, "x", "html") } });
    expect((await get(`${PATH}/outputs/${name}`)).status).toBe(404);
  });

  test("of another workload are not served", async () => {
    await reviews.open({ ...record, outputs: { html: await store.put(OTHER, "secret", "html") } });
    expect((await get(`${PATH}/outputs/html`)).status).toBe(404);
  });

  test("whose key leads out of the workload's scope are not there", async () => {
    const key = await store.put(OTHER, "secret", "html");
    await reviews.open({ ...record, outputs: { html: `${REF.namespace}/${UID}/../../${key}` } });
    expect((await get(`${PATH}/outputs/html`)).status).toBe(404);
  });
});

describe("a decision", () => {
  const full = (): Decision => ({
    gate: "review",
    digest: record.review.digest,
    decision: "approved",
    by: "ada",
    how: "ReviewLink",
    automatic: false,
    at: OPENED.toISOString(),
    comment: "Weigh the free tiers.",
  });

  test("as JSON: durable when it is acknowledged", async () => {
    const response = await postJson(approved());
    expect([response.status, await response.json()]).toEqual([200, full()]);
    expect((await createFolderReviews(join(folder, "reviews")).read(REF, "review"))?.review).toEqual({
      ...record.review,
      ...full(),
    });
  });

  test("says by which way it came", async () => {
    await postJson(approved(), { token: await token({ how: "CommandLine", by: "bob" }) });
    expect((await reviews.read(REF, "review"))?.review).toMatchObject({
      how: "CommandLine",
      by: "bob",
      automatic: false,
    });
  });

  test("by form: back to the page, which shows it", async () => {
    const response = await postForm({ decision: "rejected", digest: record.review.digest, comment: "Too few <sites>" });
    expect([response.status, response.headers.get("location")]).toEqual([303, PATH]);
    const page = await (await get(PATH)).text();
    expect(page).toContain("<strong>Rejected</strong> by ada with the review link at 2026-11-20 12:00 UTC");
    expect(page).toContain("Too few &lt;sites&gt;");
    expect(page).not.toMatch(/<form|No person was asked/);
  });

  test.each<[string, Record<string, string>, number]>([
    ["from the page itself", { "sec-fetch-site": "same-origin" }, 303],
    ["from the page itself, with its origin only", OWN_ORIGIN, 303],
    ["behind a proxy that ends TLS", { origin: "https://localhost", "x-forwarded-proto": "https" }, 303],
    ["from another site", { origin: "https://evil.example", "sec-fetch-site": "cross-site" }, 403],
    ["from another site of the same host", { origin: "https://evil.localhost", "sec-fetch-site": "same-site" }, 403],
    ["from another scheme", { origin: "https://localhost" }, 403],
    ["from a sandbox", { origin: "null" }, 403],
    ["from nowhere", {}, 403],
  ])("by form %s", async (_name, headers, status) => {
    const response = await postForm({ decision: "approved", digest: record.review.digest }, headers);
    expect(response.status).toBe(status);
    if (status === 403) {
      expect(await response.text()).toContain("This form was not sent by the review page.");
      expect(await decisionNow()).toBeUndefined();
    }
  });

  test.each<[string, () => unknown, number, string]>([
    ["on other findings", () => ({ ...approved(), digest: "0".repeat(64) }), 409, "DigestMismatch"],
    ["neither yes nor no", () => ({ ...approved(), decision: "maybe" }), 400, "InvalidDecision"],
    ["with too long a comment", () => ({ ...approved(), comment: "x".repeat(4001) }), 400, "InvalidDecision"],
    ["without a digest", () => ({ decision: "approved" }), 400, "InvalidDecision"],
    ["that is no JSON object", () => "hello", 400, "InvalidDecision"],
    ["of 512 KB and more", () => ({ ...approved(), comment: "x".repeat(513 * 1024) }), 413, "TooLarge"],
  ])("%s is refused", async (_name, body, status, reason) => {
    const response = await postJson(body());
    expect([response.status, ((await response.json()) as { reason: string }).reason]).toEqual([status, reason]);
    expect(await decisionNow()).toBeUndefined();
  });

  describe("that asks for changes", () => {
    const change = (over: object = {}) => ({
      decision: "changesRequested",
      digest: record.review.digest,
      comment: " Look at yearly prices. ",
      ...over,
    });
    const open = (changeable?: string[]) =>
      reviews.open({
        ...record,
        review: { ...record.review, ...(changeable ? { changeable } : {}), run: "0123456789" },
      });

    test("is taken with its steps, and the page says so", async () => {
      await open(["scrape", "analyze"]);
      expect(await (await get(PATH)).text()).toContain('value="changesRequested"');
      expect(await (await postJson(change({ steps: ["scrape"] }))).json()).toMatchObject({
        decision: "changesRequested",
        steps: ["scrape"],
        comment: "Look at yearly prices.",
      });
      expect(await (await get(PATH)).text()).toContain("<strong>Changes requested</strong> by ada");
    });

    test.each<[string, string[] | undefined, object, number, string]>([
      ["without a comment", ["analyze"], { comment: "  " }, 400, "InvalidDecision"],
      ["of a step that is not before the gate", ["analyze"], { steps: ["report"] }, 409, "NotChangeable"],
      ["where none can be asked for", undefined, {}, 409, "NotChangeable"],
    ])("%s is refused", async (_what, changeable, over, status, reason) => {
      await open(changeable);
      const response = await postJson(change(over));
      expect([response.status, ((await response.json()) as { reason: string }).reason]).toEqual([status, reason]);
      expect(await decisionNow()).toBeUndefined();
    });

    test("says on the page what is missing, and keeps the page", async () => {
      await open(["analyze"]);
      expect(await (await get(PATH)).text()).toContain("(needed to request changes)");
      const page = await (await postForm(change({ comment: "" }))).text();
      expect(page).toContain(">comment: say what is to be changed<");
      expect(page).toContain("<form");
    });

    test("has no button where none can be asked for", async () => {
      expect(await (await get(PATH)).text()).not.toContain("changesRequested");
    });

    test("only it names steps", async () => {
      await open(["analyze"]);
      const response = await postJson({ ...approved(), steps: ["analyze"] });
      expect(await response.json()).toMatchObject({ reason: "InvalidDecision" });
    });
  });

  test.each<[string, Partial<ReviewLink>]>([
    ["for earlier findings", { digest: "1".repeat(64) }],
    ["for another gate", { gate: "other" }],
    ["for another workload", { name: "other" }],
  ])("by a link %s is refused", async (_name, over) => {
    expect((await postJson(approved(), { token: await token(over) })).status).toBe(403);
    expect(await decisionNow()).toBeUndefined();
  });

  test("after the timeout is refused, and the page has no form any more", async () => {
    now = new Date(record.review.timeoutAt);
    expect(await (await postJson(approved())).json()).toMatchObject({ reason: "TimedOut" });
    const page = await (await get(PATH)).text();
    expect(page).toContain("The review is rejected automatically.");
    expect(page).not.toContain("<form");
  });

  test("of a run that has ended has no form, and the page says why", async () => {
    await reviews.open({ ...record, ended: "somebody stopped the run" });
    const page = await (await get(PATH)).text();
    expect(page).toContain("<strong>Not decided</strong>: somebody stopped the run, and nothing waits for a decision");
    expect(page).not.toContain("<form");
  });

  test("that was made in time is told also after the timeout", async () => {
    await postJson(approved());
    now = new Date(record.review.timeoutAt);
    expect((await postJson(approved())).status).toBe(200);
    const second = await postJson({ ...approved(), decision: "rejected" });
    expect(await second.json()).toMatchObject({ reason: "AlreadyDecided" });
  });

  test("a second one is refused and told of the first; the same one again is not", async () => {
    await postJson(approved());
    expect((await postJson(approved())).status).toBe(200);
    for (const other of [{ decision: "rejected" }, { comment: "Another." }])
      expect((await postJson({ ...approved(), ...other })).status).toBe(409);
    expect((await postJson(approved(), { token: await token({ by: "bob" }) })).status).toBe(409);
    const second = await postForm({ ...approved(), decision: "rejected", comment: "my long thoughts" });
    expect(second.status).toBe(409);
    const page = await second.text();
    expect(page).toContain("ada approved it at 2026-11-20T12:00:00.000Z, and that stands");
    expect(page).toContain("my long thoughts");
  });

  test("of twenty at once one stands", async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, i) =>
        postJson(
          { ...approved(), decision: i % 2 ? "approved" : "rejected" },
          { token: await token({ by: `reviewer ${i}` }) },
        ),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(19).fill(409)]);
    const winner = answers.find(({ status }) => status === 200);
    expect((await reviews.read(REF, "review"))?.review).toMatchObject((await winner?.json()) as object);
  });

  test("by a form that is wrong keeps what was typed", async () => {
    const response = await postForm({ decision: "approved", digest: "0".repeat(64), comment: "my long thoughts" });
    const text = await response.text();
    expect(response.status).toBe(409);
    expect(text).toContain("my long thoughts</textarea>");
    expect(text).toContain("read the review page again before you decide");
  });

  test.each<[Decision["how"], boolean, string]>([
    ["CommandLine", false, "on the command line at"],
    ["Setting", true, "No person was asked: the workload&#39;s review.required is false."],
    ["Timeout", true, "No person was asked: nobody decided by 2026-11-21 12:00 UTC, and onTimeout is Reject."],
    ["Argo", true, "No person was asked: Argo ended the wait after the timeout."],
    ["CommandLine", true, "No person was asked: somebody decided without showing the findings."],
  ])("by %s (automatic: %s) is shown as that", async (how, automatic, shown) => {
    await reviews.decide(REF, { ...full(), how, automatic, by: "somebody" });
    const page = await (await get(PATH)).text();
    expect(page).toContain(shown);
    expect(page.includes("No person was asked")).toBe(automatic);
  });
});

describe("a decision as a CloudEvent", () => {
  async function send(data: object, type = "dev.agentic.review.decided"): Promise<Response> {
    const message = HTTP.binary(new CloudEvent({ type, source: "/test", data }));
    const headers = message.headers as Record<string, string>;
    return app.request("/", { method: "POST", headers, body: message.body as string });
  }
  const data = async (over: object = {}) => ({ ...REF, ...approved(), token: await token(), ...over });

  test.each<[string, object]>([
    ["with its gate", { gate: "review" }],
    ["without one", {}],
  ])("%s", async (_name, over) => {
    const response = await send(await data(over));
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect((await reviews.read(REF, "review"))?.review).toMatchObject({ decision: "approved", by: "ada" });
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    ["for another gate", async () => send(await data({ gate: "other" })), 403, "NotAllowed"],
    ["for another workload", async () => send(await data({ name: "other" })), 403, "NotAllowed"],
    ["without a valid token", async () => send(await data({ token: "x" })), 401, "NotAllowed"],
    ["on other findings", async () => send(await data({ digest: "0".repeat(64) })), 409, "DigestMismatch"],
    ["without a token", async () => send({ ...REF, ...approved() }), 400, "InvalidDecision"],
    ["of another type", async () => send(await data(), "dev.agentic.other"), 400, "InvalidDecision"],
    ["that is none", async () => app.request("/", { method: "POST", body: "hello" }), 400, "InvalidDecision"],
  ])("%s is refused without a body, which a Broker would take for an event", async (_name, sent, status, reason) => {
    const response = await sent();
    expect([response.status, response.headers.get("agentic-reason"), await response.text()]).toEqual([
      status,
      reason,
      "",
    ]);
    expect(await decisionNow()).toBeUndefined();
  });
});

test("an event of more than 512 KB is refused for good, and not read to its end", async () => {
  const headers = { "content-type": "application/cloudevents+json" };
  const response = await app.request("/", { method: "POST", headers, body: "x".repeat(513 * 1024) });
  expect([response.status, response.headers.get("agentic-reason"), await response.text()]).toEqual([
    413,
    "TooLarge",
    "",
  ]);
});

describe("ten gates at once", () => {
  let ten: ReviewRecord[];
  beforeEach(async () => {
    ten = [];
    for (let at = 0; at < 10; at++) {
      const results = [await succeeded(store, "x", summaryOf(`Result of gate ${at}`))];
      const made = await recordOf(store, results, { gate: `gate-${at}` });
      await reviews.open(made);
      ten.push(made);
    }
  });

  /** What a browser has after it followed these links. */
  async function cookiesOf(records: readonly ReviewRecord[]): Promise<string> {
    const pairs = records.map(async (one) => `agentic-review-${one.review.gate}=${await tokenOf(one)}`);
    return (await Promise.all(pairs)).join("; ");
  }

  test("are decided each by itself, at once, and none by another's link", async () => {
    const answers = await Promise.all(
      ten.map(async (one, at) =>
        postJson(
          { decision: at % 2 ? "approved" : "rejected", digest: one.review.digest },
          { path: `${WORKLOAD_PATH}/${one.review.gate}`, token: await tokenOf(one) },
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const records = await reviews.list(REF);
    expect(records).toHaveLength(11);
    for (const [at, { review }] of ten.entries()) {
      const kept = records.find((one) => one.review.gate === review.gate);
      expect(kept?.review.decision).toBe(at % 2 ? "approved" : "rejected");
    }
    expect(await decisionNow()).toBeUndefined();
    const [first, second] = ten;
    if (!first || !second) throw new Error("there are ten");
    const crossed = await get(`${WORKLOAD_PATH}/${first.review.gate}`, await tokenOf(second));
    expect(crossed.status).toBe(403);
  });

  test("the workload's address lists those whose links were opened", async () => {
    await reviews.decide(REF, {
      gate: "gate-1",
      digest: ten[1]?.review.digest ?? "",
      decision: "approved",
      by: "<bob>",
      how: "CommandLine",
      automatic: false,
      at: OPENED.toISOString(),
    });
    const seen = async (records: readonly ReviewRecord[]) =>
      app.request(WORKLOAD_PATH, { headers: { cookie: await cookiesOf(records), accept: "text/html" } });
    const page = await (await seen(ten.slice(0, 3))).text();
    const linked = [...page.matchAll(/<a href="([^"]+)">/g)].map(([, href]) => href);
    expect(linked).toEqual(["gate-0", "gate-1", "gate-2"].map((gate) => `${WORKLOAD_PATH}/${gate}`));
    expect(page).toContain("approved by &lt;bob&gt; at 2026-11-20 12:00 UTC");
    expect(page).toContain("waits for a decision until 2026-11-21 12:00 UTC");
    for (const [index, made] of ten.slice(0, 2).entries())
      await reviews.open({ ...made, ...(index === 0 ? { ended: "the run ended (Failed)" } : {}) });
    expect(await (await seen(ten.slice(0, 2))).text()).toContain("not decided: the run ended (Failed)");
    const one = await seen(ten.slice(4, 5));
    expect([one.status, one.headers.get("location")]).toEqual([303, `${WORKLOAD_PATH}/gate-4`]);
    expect((await seen([])).status).toBe(401);
    const gone = await app.request(WORKLOAD_PATH, {
      headers: { authorization: `Bearer ${await token({ gate: "gone" })}` },
    });
    expect(gone.status).toBe(404);
  });

  test("a browser keeps ten permissions at most: more would not fit into a request", async () => {
    const last = await tokenOf(record);
    const response = await app.request(`${PATH}?token=${last}`, { headers: { cookie: await cookiesOf(ten) } });
    const set = response.headers.getSetCookie();
    expect(set.filter((cookie) => cookie.includes("Max-Age=0")).map((cookie) => cookie.split("=")[0])).toEqual([
      "agentic-review-gate-0",
    ]);
    expect(set.some((cookie) => cookie.startsWith(`agentic-review-review=${last}`))).toBe(true);
  });
});

describe("the folder of reviews", () => {
  test("the same findings again keep the review and its decision; usage and outputs are updated", async () => {
    await postJson(approved());
    const usage = { ...record.usage, costUsd: 1 };
    const later = { ...record.review, openedAt: "2026-11-20T13:00:00.000Z" };
    await reviews.open({ ...record, review: later, usage, outputs: { html: "key" } });
    const kept = await reviews.read(REF, "review");
    expect(kept).toMatchObject({ usage, outputs: { html: "key" }, review: { decision: "approved" } });
    expect(kept?.review.openedAt).toBe(record.review.openedAt);
  });

  test("other findings take the place of the old ones, undecided", async () => {
    await postJson(approved());
    await reviews.open({ ...record, review: { ...record.review, digest: "2".repeat(64) } });
    expect(await decisionNow()).toBeUndefined();
    expect(await reviews.decide(REF, { ...(await decided()), digest: record.review.digest })).toEqual({
      outcome: "otherDigest",
      digest: "2".repeat(64),
    });
  });

  test("a decision on a gate that never opened is not found", async () => {
    expect(await reviews.decide(REF, { ...(await decided()), gate: "never" })).toEqual({ outcome: "notFound" });
    expect(await reviews.list({ ...REF, name: "never" })).toEqual([]);
  });

  test("no name leads out of it", async () => {
    for (const name of ["..", "../invoicing", "a/b", ""]) {
      await expect(reviews.read(REF, name)).rejects.toThrow("is not a name of Kubernetes");
      await expect(reviews.list({ namespace: name, name: "x" })).rejects.toThrow("is not a name of Kubernetes");
    }
  });

  async function decided(): Promise<Decision> {
    const { gate, digest } = record.review;
    const at = OPENED.toISOString();
    return { gate, digest, decision: "approved", by: "ada", how: "ReviewLink", automatic: false, at };
  }
});
