import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { REASON } from "../../functions/reconcile/reasons.ts";
import { LICENCE_REASON } from "../../lib/licence/standing.ts";
import { QUOTA_REASON } from "../../lib/quota/wait.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string): string => readFileSync(`${ROOT}/${path}`, "utf8");
const pages = readdirSync(`${ROOT}/docs/runbooks`).map((file) => file.replace(/\.md$/, ""));
const isPage = (name: string): boolean => /^[A-Z]\w+$/.test(name) && name !== "README";
const index = read("docs/runbooks/README.md");
const benign = new Set(
  [...(/say that all is well[^\n]*/.exec(index)?.[0] ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name),
);

/** What the code throws, or gives an object of its own, as a reason. */
function reasonsIn(folders: string): string[] {
  const texts = globSync(`${folders}/**/*.ts`, { cwd: ROOT }).map(read);
  const given = /(?:(?:Terminal|Retryable)Error|refused|failedResult)\(\s*"([A-Z]\w+)"|\breason: "([A-Z]\w+)"/g;
  return texts.flatMap((text) => [...text.matchAll(given)].map(([, a, b]) => a ?? b ?? ""));
}

/** They pass by themselves within seconds, and are in no condition, or speak to the program that called. */
const IN_NO_CONDITION = new Set([
  ...["ApiUnavailable", "Busy", "Conflict", "Draining", "LeaseHeld", "LeaseLost", "NotSettled", "StepsHeld"],
  ...["ArtifactCorrupt", "ArtifactMissing", "ArtifactsNotServed", "InvalidName", "InvalidRedisAddress", "StoreRefused"],
  ...["InvalidRequest", "InvalidSummary", "NotForReconcile", "Unauthorized", "UnsupportedRedis", "WorkloadDeleted"],
  ...["WrongType", "DecisionRefused", "UnusableAuthority", "InvalidToken"],
]);

test("each reason that asks for something has a page, and each page is of a reason or an alert", () => {
  const agents = read("docs/runbooks/market-analysis.md");
  const core = new Set([
    ...Object.values(REASON),
    ...Object.values(LICENCE_REASON),
    ...Object.values(QUOTA_REASON),
    ...reasonsIn("{engine,crd,functions/reconcile,lib/durable,lib/edges,lib/licence,lib/quota}"),
  ]);
  const ofAgents = new Set(reasonsIn("{functions/scrape,functions/analyze,functions/report,lib/model}"));
  const known = (reason: string) => pages.includes(reason) || benign.has(reason) || IN_NO_CONDITION.has(reason);
  expect(core.size).toBeGreaterThan(60);
  expect(ofAgents.size).toBeGreaterThan(20);
  expect(
    [...core].filter((reason) => !known(reason) && !agents.includes(`\`${reason}\``)),
    "without a page",
  ).toEqual([]);
  expect([...ofAgents].filter((reason) => !known(reason) && !agents.includes(`\`${reason}\``))).toEqual([]);
  const sources = globSync("{engine,crd,functions,lib,config/observability}/**/*.ts", { cwd: ROOT })
    .map(read)
    .join("\n");
  expect(
    pages.filter((page) => isPage(page) && !sources.includes(`"${page}"`)),
    "of nothing",
  ).toEqual([]);
});

test("a page says what it means, how to look and what to do, and the index leads to it", () => {
  for (const page of pages.filter(isPage)) {
    const text = read(`docs/runbooks/${page}.md`);
    expect(text.match(/^#+ .*$/gm)).toEqual([`# ${page}`, "## What it means", "## How to look", "## What to do"]);
    expect(index).toContain(`[${page}](${page}.md)`);
  }
});

test("each alert leads to its page", () => {
  const { groups } = parse(read("config/observability/alerts.yaml")) as {
    groups: { rules: { alert: string; annotations: { runbook_url: string } }[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(10);
  for (const { alert, annotations } of rules) {
    expect(annotations.runbook_url).toBe(`runbooks/${alert}`);
    expect(existsSync(`${ROOT}/docs/${annotations.runbook_url}.md`), alert).toBe(true);
  }
});
