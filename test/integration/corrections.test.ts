import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Correction } from "../../crd/agentworkload.ts";
import { findingsSchema } from "../../engine/findings.ts";
import { createApp } from "../../functions/approve/index.ts";
import { type Artifacts, createFolderArtifacts, getJson } from "../../lib/edges/artifacts.ts";
import { createFolderReviews, type FolderReviews } from "../../lib/edges/reviews/folder.ts";
import type { ReviewRecord } from "../../lib/edges/reviews.ts";
import { createLinkAuthorizer, mintReviewLink } from "../../lib/review-link.ts";
import { fact, OPENED, REF, recordOf, succeeded, summaryOf } from "./review-fixture.ts";

const keys = generateKeyPairSync("ed25519");
const PATH = "/review/default/invoicing/review";
const SITE = "https://billow.example/";
const EVIL = `"><script>alert(1)</script>`;

let folder: string;
let store: Artifacts;
let reviews: FolderReviews;
let app: Hono;
let record: ReviewRecord;
const logged: string[] = [];
beforeEach(async () => {
  logged.length = 0;
  folder = await mkdtemp(join(tmpdir(), "agentic-corrections-"));
  store = createFolderArtifacts(join(folder, "artifacts"));
  reviews = createFolderReviews(join(folder, "reviews"));
  app = createApp({
    reviews,
    artifacts: store,
    authorize: createLinkAuthorizer([keys.publicKey]),
    now: () => OPENED,
    log: pino({ level: "info" }, { write: (line: string) => void logged.push(line) }),
    draining: new AbortController().signal,
  });
  const facts = [
    fact("Offers", "Solo: $9 a month", { id: "offers/solo", quote: "Solo $9/mo" }),
    fact("Offers", "Agency: $49 a month", { id: EVIL }),
    fact("Prices", "from $9 to $49"),
  ];
  record = await recordOf(store, [
    await succeeded(store, SITE, summaryOf("Billow", { facts })),
    await succeeded(store, "https://plain.example/", { title: "no summary" }),
  ]);
  await reviews.open(record);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const headers = async () => {
  const { gate, digest } = record.review;
  const link = { ...REF, gate, digest, by: "ada", how: "ReviewLink" as const };
  return { authorization: `Bearer ${await mintReviewLink(keys.privateKey, link, new Date(Date.now() + 60_000))}` };
};
async function decide(body: object): Promise<Response> {
  return app.request(PATH, {
    method: "POST",
    headers: { ...(await headers()), "content-type": "application/json" },
    body: JSON.stringify({ decision: "approved", digest: record.review.digest, ...body }),
  });
}
const decided = async () => (await reviews.read(REF, "review"))?.review;
const strike: Correction = {
  step: "analyze",
  item: SITE,
  fact: "offers/solo",
  of: "Solo: $9 a month",
  action: "strike",
};

test("an approval has corrections, and the audit says how many", async () => {
  const corrections = [strike, { ...strike, fact: EVIL, of: "Agency: $49 a month", action: "correct", value: EVIL }];
  const response = await decide({ corrections });
  expect([response.status, await response.json()]).toMatchObject([200, { decision: "approved", corrections }]);
  expect(await decided()).toMatchObject({ decision: "approved", corrections });
  expect(logged.map((line) => JSON.parse(line))).toContainEqual(
    expect.objectContaining({ event: "agentic.audit.decision.made", "agentic.decision.corrections": 2 }),
  );
});

test.each<[string, object, number, RegExp]>([
  ["of a fact that the findings do not have", { corrections: [{ ...strike, fact: "x" }] }, 422, /has no such fact/],
  ["of another value", { corrections: [{ ...strike, of: "$8" }] }, 422, /its value is "Solo: \$9 a month"/],
  [
    "of a finding whose summary is invalid",
    { corrections: [{ ...strike, item: "https://plain.example/" }] },
    422,
    /has no summary whose facts could be corrected/,
  ],
  [
    "of a rejection, of another value",
    { decision: "rejected", corrections: [{ ...strike, of: "$8" }] },
    422,
    /its value/,
  ],
  ["that are none", { corrections: [] }, 400, /corrections/],
  ["too many", { corrections: Array.from({ length: 101 }, () => strike) }, 400, /corrections/],
  ["too long", { corrections: [{ ...strike, comment: "x".repeat(1001) }] }, 400, /corrections.0.comment/],
  ["with more fields", { corrections: [{ ...strike, egress: ["evil.example"] }] }, 400, /egress/],
])("corrections %s are refused, and nothing is decided", async (_what, body, status, message) => {
  const response = await decide(body);
  expect([response.status, await response.json()]).toMatchObject([status, { message: expect.stringMatching(message) }]);
  expect((await decided())?.decision).toBeUndefined();
});

test.each(["rejected", "changesRequested"])(
  "%s has corrections, too, and the page says so to who looks later",
  async (decision) => {
    record = { ...record, review: { ...record.review, changeable: ["analyze"] } };
    await rm(join(folder, "reviews"), { recursive: true });
    await reviews.open(record);
    const response = await decide({
      decision,
      comment: "not so",
      corrections: [{ ...strike, comment: "last year's" }],
    });
    expect(response.status).toBe(200);
    expect(await decided()).toMatchObject({ decision, corrections: [{ ...strike, comment: "last year's" }] });
    const html = await (await app.request(PATH, { headers: await headers() })).text();
    expect(html).toContain("<summary>1 correction</summary>");
    expect(html).toContain("last year&#39;s");
  },
);

test("the same decision again is no conflict; with other corrections it is", async () => {
  expect((await decide({ corrections: [strike] })).status).toBe(200);
  expect((await decide({ corrections: [strike] })).status).toBe(200);
  for (const other of [
    {},
    { corrections: [{ ...strike, comment: "x" }] },
    { corrections: [{ ...strike, fact: "x" }] },
  ]) {
    const response = await decide(other);
    expect([response.status, await response.json()]).toMatchObject([409, { reason: "AlreadyDecided" }]);
  }
  expect((await decided())?.corrections).toEqual([strike]);
});

describe("on the page", () => {
  const form = async (fields: Record<string, string>, more: Record<string, string> = {}): Promise<Response> =>
    app.request(PATH, {
      method: "POST",
      headers: { ...(await headers()), accept: "text/html", origin: "http://localhost", ...more },
      body: new URLSearchParams({ digest: record.review.digest, ...fields }),
    });
  const page = async (): Promise<string> => (await app.request(PATH, { headers: await headers() })).text();
  /** The draft that a page carries on. */
  const draftIn = (html: string): string =>
    /name="draft" value="([^"]*)"/
      .exec(html)?.[1]
      ?.replaceAll("&quot;", '"')
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&#39;", "'")
      .replaceAll("&amp;", "&") ?? "none";

  test("findings with such facts have a button, others none", async () => {
    const html = await page();
    expect(html.match(/name="edit" value="\d+"/g)).toEqual(['name="edit" value="0"']);
    expect(html).toContain("Correct facts of Billow");
  });

  test("facts are struck and corrected, each page has what was typed before, and the approval has it all", async () => {
    const facts = await (await form({ edit: "0", comment: "my thoughts", draft: "[]" })).text();
    expect(facts).toContain("Correct facts of Billow");
    expect(facts).toContain('name="comment" value="my thoughts"');
    expect(facts).not.toContain("<script>");
    // Facts without an id have no fields.
    expect(facts.match(/name="strike-\d+"/g)).toEqual(['name="strike-0"', 'name="strike-1"']);
    const typed = { "strike-0": "yes", "value-1": `${EVIL}\r\nno`, "comment-1": "by mail", comment: "my thoughts" };
    const review = await (await form({ edited: "0", draft: draftIn(facts), ...typed })).text();
    expect((await decided())?.decision).toBeUndefined();
    expect(review).toContain("Approve with 2 corrections");
    expect(review).toContain("<del>Solo: $9 a month</del>");
    expect(review).toContain(">my thoughts</textarea>");
    expect(review).not.toContain("<script>");
    const again = await (await form({ edit: "0", draft: draftIn(review) })).text();
    expect(again).toContain('name="strike-0" checked');
    expect(again).toContain("by mail</textarea>");
    const sent = await form({ decision: "approved", comment: "my thoughts", draft: draftIn(review) });
    expect([sent.status, sent.headers.get("location")]).toEqual([303, PATH]);
    const corrections = [
      strike,
      { ...strike, fact: EVIL, of: "Agency: $49 a month", action: "correct", value: `${EVIL}\nno`, comment: "by mail" },
    ];
    expect(await decided()).toMatchObject({ decision: "approved", comment: "my thoughts", corrections });
    const after = await page();
    expect(after).toContain("<summary>2 corrections</summary>");
    expect(after).not.toContain("<script>");
    expect(after).not.toContain('name="edit"');
  });

  const draft = JSON.stringify([strike]);
  test("what is emptied is no correction any more, and all of them can be removed", async () => {
    expect(draftIn(await (await form({ edited: "0", draft })).text())).toBe("[]");
    expect(draftIn(await (await form({ clear: "yes", draft })).text())).toBe("[]");
    // Of another finding, they stay.
    const other = { ...strike, item: "https://other.example/" };
    expect(draftIn(await (await form({ edited: "0", draft: JSON.stringify([other]) })).text())).toBe(
      JSON.stringify([other]),
    );
  });

  test.each<[string, Record<string, string>, RegExp]>([
    ["both struck and corrected", { "strike-0": "yes", "value-0": "$8" }, /Offers: strike it or correct it, not both/],
    ["corrected to too much", { "value-0": "x".repeat(1001) }, /Offers: value: /],
    [
      "too many",
      { draft: JSON.stringify(Array.from({ length: 100 }, () => ({ ...strike, step: "x" }))), "strike-0": "yes" },
      /at most 100 corrections, and these are 102/,
    ],
  ])("facts %s: the fields stand as they were typed, beside what is wrong", async (_what, typed, message) => {
    const response = await form({ edited: "0", comment: "my thoughts", draft: "[]", "comment-1": "so long", ...typed });
    const html = await response.text();
    expect([response.status, html]).toEqual([422, expect.stringMatching(message)]);
    expect(html).toContain("so long</textarea>");
    expect(html).toContain('name="comment" value="my thoughts"');
    if (typed["value-0"]) expect(html).toContain(`>${typed["value-0"]}</textarea>`);
    expect(draftIn(html)).toBe(typed["draft"] ?? "[]");
  });

  test.each<[string, () => Record<string, string>, number, RegExp]>([
    ["other findings", () => ({ decision: "approved", digest: "0".repeat(64) }), 409, /other findings/],
    ["no decision", () => ({ decision: "" }), 400, /decision/],
  ])("%s is refused, and comment and corrections stay in the form", async (_what, fields, status, message) => {
    const response = await form({ comment: "my thoughts", draft, ...fields() });
    const html = await response.text();
    expect([response.status, html]).toEqual([status, expect.stringMatching(message)]);
    expect([draftIn(html), html]).toEqual([draft, expect.stringContaining(">my thoughts</textarea>")]);
    expect((await decided())?.decision).toBeUndefined();
  });

  test.each<[string, Record<string, string>]>([
    ["a draft that is no JSON", { decision: "approved", draft: "{" }],
    ["a draft of something else", { decision: "approved", draft: '[{"action":"approve"}]' }],
    ["a finding that is not there", { edit: "9", draft: "[]" }],
    ["a finding by another name", { edit: "__proto__", draft: "[]" }],
    ["a finding whose summary is invalid", { edit: "1", draft: "[]" }],
  ])("%s decides nothing, and says so", async (_what, fields) => {
    const response = await form({ comment: "my thoughts", ...fields });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('role="alert"')]);
    expect((await decided())?.decision).toBeUndefined();
  });

  test("a form of another site is refused", async () => {
    const response = await form({ edited: "0", draft, "strike-0": "yes" }, { origin: "https://evil.example" });
    expect(response.status).toBe(403);
  });

  test("once somebody decided, what was typed is shown, and nothing is corrected any more", async () => {
    await decide({});
    for (const fields of [
      { edit: "0" },
      { edited: "0", "strike-0": "yes" },
      { clear: "yes" },
      { decision: "approved" },
    ]) {
      const response = await form({ draft, comment: "my thoughts", ...fields });
      const html = await response.text();
      expect([response.status, html]).toEqual([409, expect.stringContaining("Your corrections were:")]);
      expect(html).toContain("<del>Solo: $9 a month</del>");
    }
    expect((await decided())?.corrections).toBeUndefined();
  });

  describe("with what an earlier review said", () => {
    const carried = { ...strike, action: "strike" as const, by: "ann", at: "2026-10-01T09:30:00.000Z" };
    beforeEach(async () => {
      const { results } = await getJson(store, record.workload, record.findings, findingsSchema);
      record = await recordOf(store, results, { carried: [carried] });
      await reviews.open(record);
    });

    test("it is shown with its origin, and approved as it is", async () => {
      const html = await page();
      expect(html).toContain("Carried over from the review of 2026-10-01 09:30 UTC by ann");
      expect(html).toContain("Approve with 1 correction");
      const facts = await (await form({ edit: "0", draft: "[]" })).text();
      expect(facts).toContain('name="strike-0" checked');
      // Left as it is, it is no correction of this review.
      expect(draftIn(await (await form({ edited: "0", draft: "[]", "strike-0": "on" })).text())).toBe("[]");
      await form({ decision: "approved", draft: "[]" });
      expect((await decided())?.corrections).toBeUndefined();
      expect(await page()).toContain("<summary>1 correction</summary>");
    });

    test("a rejection says on the page why, without what others said before", async () => {
      const own = { ...strike, fact: EVIL, of: "Agency: $49 a month", action: "comment", comment: "by the year" };
      expect((await form({ decision: "rejected", draft: JSON.stringify([own]) })).status).toBe(303);
      expect((await decided())?.corrections).toEqual([own]);
      const html = await page();
      expect(html).toContain("<summary>1 correction</summary>");
      expect(html).toContain("by the year");
    });

    test("of a fact that has another value by now it is shown, and is no correction", async () => {
      const { results } = await getJson(store, record.workload, record.findings, findingsSchema);
      const noted = { ...carried, of: "Solo: $8 a month", comment: EVIL };
      record = await recordOf(store, results, { noted: [noted] });
      await reviews.open(record);
      const html = await page();
      expect(html).toContain("Last time, ann at 2026-10-01 09:30 UTC:");
      expect(html).toContain("<del>Solo: $8 a month</del>");
      expect(html).not.toContain("<script>");
      expect(html).toContain(">Approve</button>");
      const facts = await (await form({ edit: "0", draft: "[]" })).text();
      expect(facts).toContain("Last time, ann at");
      expect(facts).toContain('name="strike-0">');
    });

    test("what was asked of facts with a request for changes stands with it", async () => {
      const { results } = await getJson(store, record.workload, record.findings, findingsSchema);
      const asked = { gate: "review", steps: ["analyze"], comment: "look again", by: "ann", at: carried.at };
      record = await recordOf(store, results, { changes: [{ ...asked, corrections: [strike] }] });
      await reviews.open(record);
      expect(await page()).toMatch(/<blockquote>look again<\/blockquote><ul><li>[^<]*<del>Solo/);
    });

    test("it is dropped, and may be taken back", async () => {
      const without = await (await form({ edited: "0", draft: "[]" })).text();
      const keep = { ...strike, action: "keep" };
      expect(JSON.parse(draftIn(without))).toEqual([keep]);
      expect(without).toContain("Kept as found");
      const facts = await (await form({ edit: "0", draft: draftIn(without) })).text();
      expect(facts).toContain('name="strike-0">');
      expect(draftIn(await (await form({ edited: "0", draft: draftIn(without), "strike-0": "on" })).text())).toBe("[]");
      await form({ decision: "approved", draft: draftIn(without) });
      expect((await decided())?.corrections).toEqual([keep]);
    });

    test("a fact of which nothing was said cannot be kept", async () => {
      const response = await decide({
        corrections: [{ ...strike, fact: EVIL, of: "Agency: $49 a month", action: "keep" }],
      });
      expect([response.status, await response.json()]).toMatchObject([422, { reason: "InvalidCorrections" }]);
    });
  });

  test("thousands of facts stay out of the page", async () => {
    const facts = Array.from({ length: 500 }, (_, at) => fact("Offers", `${at}`, { id: `offers/${at}` }));
    record = await recordOf(
      store,
      await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          succeeded(store, `https://a${at}.example/`, summaryOf(`A${at}`, { facts })),
        ),
      ),
    );
    await reviews.open(record);
    const html = await page();
    expect(html).not.toContain("<fieldset");
    expect((await (await form({ edit: "39", draft: "[]" })).text()).match(/<fieldset/g)?.length).toBe(500);
  });
});
