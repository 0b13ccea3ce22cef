import { expect, test } from "vitest";
import { reviewText } from "../../../cli/kubectl/review-text.ts";
import { NO_USAGE } from "../../../engine/result.ts";
import type { FindingView, ReviewView } from "../../../functions/approve/load.ts";
import { summaryView } from "../../../functions/approve/summary-view.ts";

const workload = { namespace: "team-a", name: "demo", uid: "u" };
const review = {
  gate: "ask",
  run: "r",
  digest: "0".repeat(64),
  openedAt: "2026-11-30T10:00:00Z",
  timeoutAt: "2026-12-01T10:00:00Z",
  onTimeout: "Reject",
} as const;
const finding = { step: "read", outcome: "succeeded", artifacts: {} } as const;
const summaryOf = (over: object) => ({
  finding,
  summary: summaryView({ title: "A page", facts: [], pictures: [], caveats: [], ...over }, 10_000),
});
const text = (items: readonly FindingView[], over: Partial<ReviewView["record"]["review"]> = {}, ended?: string) =>
  reviewText({
    record: {
      workload,
      review: { ...review, ...over },
      findings: "u/0.json",
      usage: NO_USAGE,
      ...(ended ? { ended } : {}),
    },
    findings: {
      workload,
      run: "r",
      pipeline: { namespace: "team-a", name: "reading" },
      gate: "ask",
      inputs: { question: "What does it cost?" },
      results: [],
    },
    items,
  });

test("what was found, what failed, and how to decide", () => {
  const offers = ["a", "b", "c", "d", "e", "f"].map((value) => ({ label: "Offer", value }));
  const facts = [{ label: "Language", value: "en", quote: "lang=en" }, ...offers];
  const pictures = [{ image: "u/1.png", alt: "The first screen", width: 1, height: 1 }];
  const failed = { ...finding, outcome: "failed", item: { url: "https://b.example/" } } as const;
  const shown = text(
    [
      summaryOf({ subtitle: "https://a.example/", facts, pictures, caveats: ["Cut after 10 pages"] }),
      { finding: { ...failed, reason: "HttpError", message: "it answers 500" } },
      { finding, problem: "The summary of step read cannot be shown: it is not JSON" },
    ],
    { costOfApproving: "0.01" },
  );
  const how = `demo -n team-a --gate ask --digest ${review.digest}`;
  expect(
    shown,
  ).toBe(`team-a/demo, gate ask: waits for a decision until 2026-12-01T10:00:00Z, then: Reject; approving costs at most $0.01
digest ${review.digest}
question: What does it cost?

1. A page  https://a.example/
   caveat: Cut after 10 pages
   Language: en  "lang=en"
   Offer (6):
     a
     b
     c
     d
     e
     and 1 more
   picture: The first screen

2. step read on {"url":"https://b.example/"}
   failed: HttpError: it answers 500

3. step read
   The summary of step read cannot be shown: it is not JSON

Decide with:
  kubectl agentic approve ${how}
  kubectl agentic reject ${how}
`);
});

test("changes can be asked for where there are steps to change", () => {
  const shown = text([], { changeable: ["read"] });
  expect(shown).toContain(
    `kubectl agentic changes demo -n team-a --gate ask --digest ${review.digest} --comment TEXT\n`,
  );
});

test("a decided one says who decided, and asks for nothing", () => {
  const shown = text([], { decision: "approved", by: "ann", at: "2026-11-30T11:00:00Z", comment: "Good." });
  expect(shown).toContain("gate ask: approved by ann at 2026-11-30T11:00:00Z: Good.\n");
  expect(shown).not.toContain("Decide with");
});

test("one whose run ended before asks for nothing, either", () => {
  const shown = text([], {}, "the run ended (Failed)");
  expect(shown).toContain("gate ask: nobody decided, and the run ended (Failed)\n");
  expect(shown).not.toContain("Decide with");
});

test("text of a page cannot steer the terminal, nor pretend to be another line", () => {
  const shown = text([
    summaryOf({ title: "\u001b[2Jgone\u009b1A", caveats: ["a\nDecide with: nothing", "\u202egnp"] }),
  ]);
  expect(shown).toContain("1. [2Jgone 1A\n   caveat: a Decide with: nothing\n   caveat: gnp\n");
});
