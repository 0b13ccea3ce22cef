import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadTruth } from "../../examples/truth.ts";
import { apply, ask, kubectl, list, until } from "./cluster.ts";
import { askFunction } from "./functions.ts";
import {
  analysesBySite,
  condition,
  decide,
  example,
  freshNamespace,
  functionPods,
  reviewLink,
  SYSTEM,
  untilPhase,
  workflowOf,
  workload,
} from "./workload.ts";

const A = "team-a";
const B = "team-b";
const NAME = "market-analysis";

beforeAll(async () => {
  await Promise.all([freshNamespace(A), freshNamespace(B)]);
  await ask({ namespace: SYSTEM, name: "openai" }, "/log", { method: "DELETE" });
  await ask({ namespace: SYSTEM, name: "inbox" }, "/events", { method: "DELETE" });
});
afterAll(async () => {
  await kubectl(["delete", "namespace", A, B, "--wait=false"]);
});

const noFunctions = () =>
  until("every function to be at zero", async () => (await functionPods()).size === 0, {
    ms: 300_000,
    every: 1000,
    seen: async () => [...(await functionPods())],
  });

const approvePage = (path: string, token: string) =>
  askFunction("approve", path, { headers: { authorization: `Bearer ${token}`, accept: "text/html" } });

describe("kubectl apply to report", () => {
  test("two workloads in two namespaces, from zero, through the gate to a report that holds against the truth", async () => {
    await noFunctions();

    const phases: string[] = [];
    const onPhase = (phase: string) => {
      if (phases.at(-1) !== phase) phases.push(phase);
    };
    await apply(example(A, NAME), example(B, NAME, { objective: "Who sells to restaurants?" }));
    await until("scrape to be up", async () => (await functionPods()).has("scrape"));
    const [waiting] = await Promise.all([
      untilPhase(A, NAME, "AwaitingReview", { onPhase }),
      untilPhase(B, NAME, "AwaitingReview"),
    ]);
    expect(phases).toEqual(expect.arrayContaining(["Running", "AwaitingReview"]));
    expect(phases.filter((phase) => !["Pending", "Creating", "Running", "AwaitingReview"].includes(phase))).toEqual([]);
    expect(waiting.status.sites).toMatchObject({ total: 10, scraped: 10, analyzed: 10, failed: 0, progress: "10/10" });
    expect(condition(waiting, "Analyzed")).toMatchObject({ status: "True", reason: "AllSites" });

    // Nothing of ours in the user's namespace but the workload and its Workflow.
    expect(await list("pods", A)).toEqual([]);
    expect((await list("serviceaccounts", A)).map(({ metadata }) => metadata.name)).toEqual(["default"]);

    const { url, token, digest } = await reviewLink(A, NAME);
    expect(digest).toBe(waiting.status.review.digest);
    await decide(A, NAME, "approved", "Weigh the free tiers.");
    await decide(B, NAME, "approved");
    const [done] = await Promise.all([untilPhase(A, NAME, "Succeeded"), untilPhase(B, NAME, "Succeeded")]);
    expect(done.status.review).toMatchObject({ decision: "approved", comment: "Weigh the free tiers." });
    expect(condition(done, "Ready")).toMatchObject({ status: "True", reason: "Succeeded" });
    expect((await workflowOf(A, NAME))?.status.phase).toBe("Succeeded");

    const page = await approvePage(url.pathname, token);
    expect([page.status, page.body]).toEqual([200, expect.stringContaining("Approved")]);
    const html = await approvePage(`${url.pathname}/report/html`, token);
    expect(html.headers["content-type"]).toMatch(/^text\/html/);
    const report = JSON.parse((await approvePage(`${url.pathname}/report/json`, token)).body);
    const names = report.competitors.map((one: { analysis: { name: string } }) => one.analysis.name).toSorted();
    const truth = await loadTruth();
    expect(names).toEqual(truth.map(({ name }) => name).toSorted());

    // Each site was analyzed once for each of the two questions, and no answer was paid twice.
    const analyses = await analysesBySite();
    expect([...analyses.values()].filter((count) => count !== 2)).toEqual([]);
    expect(Number(done.status.usage.costUsd)).toBeGreaterThan(0);

    const events = await list("events", A);
    const reasons = new Set(events.map(({ reason }) => reason));
    for (const reason of ["Running", "AwaitingReview", "Succeeded"]) expect(reasons).toContain(reason);
    await noFunctions();
  });

  test("rejected: no report is written", async () => {
    const name = "rejected";
    await apply(example(A, name));
    await untilPhase(A, name, "AwaitingReview");
    await decide(A, name, "rejected", "Too few of them are ours.");
    const done = await untilPhase(A, name, "Rejected");
    expect(done.status.report).toBeUndefined();
    expect(condition(done, "Ready")).toMatchObject({ status: "False", reason: "Rejected" });
    expect(condition(done, "Ready").message).toContain("Too few of them are ours.");
  });

  test("deleted while it runs: stopped, cleaned, gone", async () => {
    const name = "deleted";
    await apply(example(A, name));
    await untilPhase(A, name, "Running");
    await kubectl(["-n", A, "delete", "agentworkload", name, "--timeout=60s"]);
    expect(await workload(A, name)).toBeUndefined();
    expect(await workflowOf(A, name)).toBeUndefined();
  });
});
