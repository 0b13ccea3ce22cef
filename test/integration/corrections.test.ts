import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Hono } from "hono";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Correction } from "../../crd/agentworkload.ts";
import { createApp } from "../../functions/approve/index.ts";
import { type Artifacts, createFolderArtifacts } from "../../lib/edges/artifacts.ts";
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
  ["of a rejection", { decision: "rejected", corrections: [strike] }, 422, /^only an approval has corrections/],
  ["that are none", { corrections: [] }, 400, /corrections/],
  ["too many", { corrections: Array.from({ length: 101 }, () => strike) }, 400, /corrections/],
  ["too long", { corrections: [{ ...strike, comment: "x".repeat(1001) }] }, 400, /corrections.0.comment/],
  ["with more fields", { corrections: [{ ...strike, egress: ["evil.example"] }] }, 400, /egress/],
])("corrections %s are refused, and nothing is decided", async (_what, body, status, message) => {
  const response = await decide(body);
  expect([response.status, await response.json()]).toMatchObject([status, { message: expect.stringMatching(message) }]);
  expect((await decided())?.decision).toBeUndefined();
});

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
