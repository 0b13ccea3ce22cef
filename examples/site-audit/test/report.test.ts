import assert from "node:assert/strict";
import { test } from "node:test";
import { summarySchema } from "agentic-kubernetes/agent";
import type { Finding, Page, Site } from "../src/finding.js";
import { auditOf, worstRules } from "../src/report/audit.js";
import { findingsCsv } from "../src/report/csv.js";
import { reportPage } from "../src/report/page.js";
import { siteOf, siteSummary } from "../src/summarize/site.js";

const finding = (over: Partial<Finding> = {}): Finding => ({
  kind: "links",
  rule: "broken-link",
  impact: "serious",
  title: "Links lead nowhere",
  detail: "It answers 404.",
  where: "http://a.example/x",
  ...over,
});
const page = (path: string, findings: readonly Finding[]): Page => ({
  site: "http://a.example/",
  url: `http://a.example${path}`,
  title: `Page ${path}`,
  status: 200,
  findings: [...findings],
  checked: { rules: 1, requests: 1, cookies: 0, links: 1 },
  caveats: ["Audited before everything had loaded."],
  screenshot: "uid/shot.jpg",
});
const site = (...pages: Page[]): Site =>
  siteOf(
    "http://a.example/",
    undefined,
    pages.map((one) => ({ page: one })),
  );

test("the worst rules come first, then the most frequent", () => {
  const minor = finding({ rule: "referrer-policy", impact: "minor" });
  const audit = auditOf("T", undefined, [site(page("/", [minor, minor, finding()]), page("/b", [minor]))], []);
  assert.deepEqual(
    worstRules(audit, 2).map(({ rule, places }) => [rule, places.length]),
    [
      ["broken-link", 1],
      ["referrer-policy", 3],
    ],
  );
});

test("the CSV quotes what must be quoted, and gives a spreadsheet nothing to compute", () => {
  const audit = auditOf("T", undefined, [site(page("/", [finding({ detail: '=HYPERLINK("x"),\nB' })]))], []);
  const csv = findingsCsv(audit);
  assert.match(csv, /^Site,Page,Kind,/);
  assert.ok(csv.includes(`,"'=HYPERLINK(""x""),\nB",`));
  assert.ok(csv.endsWith("\r\n"));
});

test("what a page says is text in the report, and what went wrong is told", async () => {
  const decision = { by: "--approve", at: "2026-01-02T00:00:00Z", automatic: true };
  const sites = [site(page("/", [finding({ evidence: "<script>alert(1)</script>" })]))];
  const html = await reportPage(
    auditOf("<b>T</b>", decision, sites, [{ site: "http://b.example/", message: "down" }]),
    new Map(),
  );
  assert.ok(!/<script|<b>/.test(html));
  for (const text of ["&lt;script&gt;", "No person reviewed this", "down", "2026-01-02"])
    assert.ok(html.includes(text), text);
});

test("a site that could not be discovered, and a page that could not be audited, are caveats of its summary", () => {
  const down = { outcome: "failed" as const, message: "http://a.example/ did not open", artifacts: {} };
  const summary = siteSummary(
    siteOf("http://a.example/", down, [{ url: "http://a.example/b", message: "answers 500" }]),
  );
  assert.deepEqual(summary.caveats, [
    "http://a.example/b was not audited: answers 500.",
    "No page was audited: http://a.example/ did not open.",
  ]);
});

test("a summary says how many there are of each kind, and stays within its limits", () => {
  const many = Array.from({ length: 400 }, (_, index) => finding({ rule: `rule-${index}`, evidence: "e".repeat(300) }));
  const summary = summarySchema.parse(siteSummary(site(page("/", many), page("/b", []))));
  assert.ok(summary.facts.some(({ label, value }) => label === "Broken links" && value === "400"));
  assert.ok(summary.caveats.includes("On 2 pages: Audited before everything had loaded."));
});
