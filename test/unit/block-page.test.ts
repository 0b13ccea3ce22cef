import { expect, test } from "vitest";
import { blockedBy } from "../../functions/scrape/block-page.ts";

const page = { status: 200, headers: {}, title: "Just a moment...", text: "", html: "" };

test("Cloudflare's challenge is no page of the site", () => {
  const html = '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1?ray=9"></script>';
  expect(blockedBy({ ...page, html })).toBe("Cloudflare challenge");
});

test("a page that repeats the half of its mark is read in time", () => {
  expect(blockedBy({ ...page, html: "/cdn-cgi/challenge-platform/".repeat(70_000) })).toBeUndefined();
}, 20_000);
