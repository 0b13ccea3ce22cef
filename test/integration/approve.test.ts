import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudEvent, HTTP } from "cloudevents";
import type { Hono } from "hono";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createApp } from "../../functions/approve/index.ts";
import { createFolderArtifacts, digestOf } from "../../lib/edges/artifacts.ts";
import { createFolderReviews, type FolderReviews, type OpenReview } from "../../lib/edges/reviews.ts";
import { createLinkAuthorizer, mintReviewLink, type ReviewLink } from "../../lib/review-link.ts";
import { NO_USAGE } from "../../lib/step.ts";
import { stage, TEN, UID } from "../unit/report-fixture.ts";

const keys = generateKeyPairSync("ed25519");
const NOW = new Date("2026-11-20T12:00:00Z");
const REF = { namespace: "default", name: "invoicing" };
const PATH = "/review/default/invoicing";
const HOSTILE = {
  ...(TEN[0] ?? { url: "https://x.example/" }),
  name: "<script>alert(1)</script>",
  url: "https://hostile.example/",
};

let folder: string;
let reviews: FolderReviews;
let app: Hono;
let now: Date;
let review: OpenReview;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agentic-approve-"));
  const artifacts = createFolderArtifacts(join(folder, "artifacts"));
  reviews = createFolderReviews(join(folder, "reviews"));
  now = NOW;
  const input = await stage(artifacts, [...TEN.slice(0, 3), HOSTILE]);
  const findings = input.from["review"]?.[0]?.artifacts["findings"] ?? "";
  review = {
    workload: { ...REF, uid: UID },
    run: "a1b2c3d4e5",
    findings,
    digest: digestOf(findings),
    costSoFar: { ...NO_USAGE, costUsd: 0.0081, inputTokens: 40_000 },
    costOfApproving: 0.002,
    openedAt: NOW.toISOString(),
    timeoutAt: "2026-11-21T12:00:00.000Z",
    onTimeout: "Reject",
  };
  await reviews.open(review);
  app = createApp({
    reviews,
    artifacts,
    authorize: createLinkAuthorizer(keys.publicKey),
    now: () => now,
    log: pino({ level: "silent" }),
    draining: new AbortController().signal,
  });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const token = (over: Partial<ReviewLink> = {}, key = keys.privateKey, expires = new Date(Date.now() + 60_000)) =>
  mintReviewLink(key, { ...REF, digest: review.digest, by: "ada", ...over }, expires);

async function postJson(body: unknown, over: { token?: string } = {}): Promise<Response> {
  return app.request(PATH, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${over.token ?? (await token())}` },
    body: JSON.stringify(body),
  });
}
const approved = () => ({ decision: "approved", digest: review.digest, comment: "Weigh the free tiers." });

describe("the review page", () => {
  test("the link's token moves into a cookie, and with it the page is there", async () => {
    const first = await app.request(`${PATH}?token=${await token()}`);
    expect([first.status, first.headers.get("location")]).toEqual([303, PATH]);
    const cookie = first.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly.*SameSite=Strict|SameSite=Strict.*HttpOnly/);
    const page = await app.request(PATH, { headers: { cookie: cookie.split(";")[0] ?? "", accept: "text/html" } });
    expect(page.status).toBe(200);
    const text = await page.text();
    for (const shown of [review.digest.slice(0, 16), TEN[0]?.name, "$0.0081", "$0.0020", "Blocked", "captcha"])
      expect(text).toContain(shown);
  });

  test("what a page says is escaped, and no script may run", async () => {
    const page = await app.request(PATH, { headers: { authorization: `Bearer ${await token()}` } });
    const text = await page.text();
    expect(text).not.toContain("<script");
    expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
  });

  test.each<[string, () => Promise<string | undefined>, number]>([
    ["without a link", async () => undefined, 401],
    ["with a link by another key", () => token({}, generateKeyPairSync("ed25519").privateKey), 401],
    ["with a link that has expired", () => token({}, keys.privateKey, new Date(Date.now() - 1000)), 401],
    ["with the link of another review", () => token({ name: "other" }), 403],
  ])("%s", async (_name, make, status) => {
    const bearer = await make();
    const page = await app.request(PATH, { headers: bearer ? { authorization: `Bearer ${bearer}` } : {} });
    expect(page.status).toBe(status);
    expect(await page.text()).not.toContain(review.digest.slice(0, 16));
  });

  test("serves the pictures of these findings, and nothing else from the store", async () => {
    const headers = { authorization: `Bearer ${await token()}` };
    const text = await (await app.request(PATH, { headers })).text();
    const picture = /src="([^"]+\/pictures\/[^"]+)"/.exec(text)?.[1] ?? "";
    const served = await app.request(picture, { headers });
    expect([served.status, served.headers.get("content-type")]).toEqual([200, "image/png"]);
    const findings = await app.request(`${PATH}/pictures/${review.findings.split("/")[1]}`, { headers });
    expect(findings.status).toBe(404);
    expect((await app.request(picture)).status).toBe(401);
  });
});

describe("a decision", () => {
  test("as JSON: durable when it is acknowledged", async () => {
    const response = await postJson(approved());
    expect(response.status).toBe(200);
    expect((await reviews.read(REF))?.decision).toEqual({
      decision: "approved",
      digest: review.digest,
      by: "ada",
      at: NOW.toISOString(),
      comment: "Weigh the free tiers.",
    });
  });

  test("by form: back to the page, which shows it", async () => {
    const headers = { authorization: `Bearer ${await token()}`, accept: "text/html" };
    const form = new URLSearchParams({ decision: "rejected", digest: review.digest, comment: "" });
    const response = await app.request(PATH, { method: "POST", headers, body: form });
    expect([response.status, response.headers.get("location")]).toEqual([303, PATH]);
    const page = await (await app.request(PATH, { headers })).text();
    expect(page).toContain("<strong>Rejected</strong> by ada");
    expect(page).not.toContain("<form");
  });

  test("as a CloudEvent over the Broker", async () => {
    const data = { ...REF, ...approved(), token: await token() };
    const message = HTTP.binary(new CloudEvent({ type: "dev.agentic.review.decided", source: "/test", data }));
    const response = await app.request("/", {
      method: "POST",
      headers: message.headers as Record<string, string>,
      body: message.body as string,
    });
    expect([response.status, await response.text()]).toEqual([200, ""]);
    expect((await reviews.read(REF))?.decision?.decision).toBe("approved");
  });

  test.each<[string, () => unknown, number, string]>([
    ["on other findings", () => ({ ...approved(), digest: "0".repeat(64) }), 409, "DigestMismatch"],
    ["neither yes nor no", () => ({ ...approved(), decision: "maybe" }), 400, "InvalidDecision"],
    ["with a novel as comment", () => ({ ...approved(), comment: "x".repeat(4001) }), 400, "InvalidDecision"],
    ["without a digest", () => ({ decision: "approved" }), 400, "InvalidDecision"],
    ["that is no JSON object", () => "hello", 400, "InvalidDecision"],
  ])("%s is refused", async (_name, body, status, reason) => {
    const response = await postJson(body());
    expect([response.status, ((await response.json()) as { reason: string }).reason]).toEqual([status, reason]);
    expect((await reviews.read(REF))?.decision).toBeUndefined();
  });

  test("by a link to findings that are no longer these", async () => {
    const response = await postJson(approved(), { token: await token({ digest: "1".repeat(64) }) });
    expect(response.status).toBe(403);
  });

  test("after the timeout", async () => {
    now = new Date("2026-11-21T12:00:00Z");
    expect(await (await postJson(approved())).json()).toMatchObject({ reason: "TimedOut" });
  });

  test("a second one is refused and told of the first; the same one again is not", async () => {
    await postJson(approved());
    expect((await postJson(approved())).status).toBe(200);
    const second = await postJson({ ...approved(), decision: "rejected" });
    expect(second.status).toBe(409);
    expect(await second.json()).toMatchObject({
      reason: "AlreadyDecided",
      message: expect.stringContaining("ada approved it"),
    });
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
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
    expect(answers.filter((answer) => answer.status === 409)).toHaveLength(19);
  });

  test("a form that is wrong keeps what was typed", async () => {
    const form = new URLSearchParams({ decision: "approved", digest: "0".repeat(64), comment: "my long thoughts" });
    const response = await app.request(PATH, {
      method: "POST",
      headers: { authorization: `Bearer ${await token()}` },
      body: form,
    });
    const text = await response.text();
    expect(response.status).toBe(409);
    expect(text).toContain("my long thoughts");
    expect(text).toContain("look again before you decide");
  });
});

describe("opening", () => {
  test("the same findings again change nothing, decision included", async () => {
    await postJson(approved());
    await reviews.open({ ...review, openedAt: "2026-11-20T13:00:00.000Z" });
    expect(await reviews.read(REF)).toMatchObject({ openedAt: review.openedAt, decision: { by: "ada" } });
  });

  test("other findings take the place of the old ones, undecided", async () => {
    await postJson(approved());
    await reviews.open({ ...review, digest: "2".repeat(64) });
    expect((await reviews.read(REF))?.decision).toBeUndefined();
  });
});
